// /density/{name}.tif: the verb's raster over HTTP.
//
// Plan
//   values, frame and notes are those of `onemap density`, with every option
//   ranges and ETags hold; GDAL opens it from its address
//   another filter, period or cell is another file; equal ones are one
//   the legend of a filter ends where its own field does, of a period of it at
//   its share, of two that are compared it is one
//   too many cells say what would do; what is wrong is told with its parameter
//   what weighs persons goes to nobody who only counts, files to nobody who may
//   not take any away; who took one is noted
import assert from 'node:assert/strict';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { done } from './onemap.mjs';
import { askAs, makeSynthetic, token } from './roles.mjs';
import { get, run } from './sample.mjs';
import { serve } from './server.mjs';

async function raster(file) {
    const head = JSON.parse((await run('gdalinfo', ['-json', file])).stdout), bin = `${file}.bin`;
    await run('gdal_translate', ['-q', '-of', 'ENVI', file, bin]);
    const bytes = await readFile(bin);
    return { head, value: new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)) };
}

test('a field is a file', async (t) => {
    const { dir, city } = await makeSynthetic(t);
    const who = { analyst: await token(city, 'analyst'), wall: await token(city, 'wall'), admin: await token(city, 'admin') };
    const { url } = await serve(t, city), ask = askAs(url, who.analyst);
    const query = (params) => new URLSearchParams(params).toString();

    for (const [name, params, args] of [
        ['hazard', {}, []],
        ['hazard', { filter: 'severity >= 3', datetime: '2023-05', bandwidth: 1500, kernel: 'gaussian', cell: 100, bbox: '113.6,22.8,113.8,23' },
            ['--where', 'severity >= 3', '--time', '2023-05', '--bandwidth', 1500, '--kernel', 'gaussian', '--cell', 100, '--bbox', '113.6,22.8,113.8,23']],
        ['overall', { cell: 500 }, ['--cell', 500]],
        ['hazard', { per: 'address', halflife: 30, bandwidth: 2000 }, ['--per', 'address', '--half-life', 30, '--bandwidth', 2000]]])
        await t.test(`${name} ${query(params)}`, async () => {
            // A model that weighs levels of houses is for whoever sees these.
            const answer = await (name === 'overall' ? askAs(url, who.admin) : ask)(`/density/${name}.tif?${query(params)}`), file = path.join(dir, 'http.tif'), own = path.join(dir, 'own.tif');
            assert.equal(answer.status, 200, answer.text().slice(0, 300));
            assert.match(answer.headers['content-type'], /^image\/tiff; application=geotiff; profile=cloud-optimized/);
            assert.equal(answer.headers['content-disposition'], `attachment; filename="${name}-density.tif"`);
            assert.ok(!('ogc-numbermatched' in answer.headers) && Number(answer.headers['data-sequence']) > 0);
            await writeFile(file, answer.body);
            await done('density', city, name, ...args, '--out', own, '--quiet');
            const [a, b] = [await raster(file), await raster(own)];
            assert.deepEqual(a.head.size, b.head.size);
            assert.deepEqual(a.head.geoTransform, b.head.geoTransform);
            assert.deepEqual(a.head.metadata[''], b.head.metadata['']);
            assert.equal(a.head.metadata.IMAGE_STRUCTURE.LAYOUT, 'COG');
            assert.equal(a.head.metadata[''].SYNTHETIC, 'true');
            let known = 0;
            for (let i = 0; i < a.value.length; i++) {
                if (Number.isNaN(b.value[i])) { assert.ok(Number.isNaN(a.value[i])); continue; }
                known += b.value[i] > 0;
                assert.ok(Math.abs(a.value[i] - b.value[i]) <= 1e-5 * Math.abs(b.value[i]) + 1e-9, `${i}: ${a.value[i]} ${b.value[i]}`);
            }
            assert.ok(known > 100, `${known} cells`);
        });

    await t.test('a filter by place has a legend as high as its own field', async () => {
        const legend = async (params) => (await ask(`/legend/heat:hazard.json?${query({ bandwidth: 800, ...params })}`)).json();
        const towns = (await ask('/stats/hazard?by=town')).json().groups.filter((g) => g.id).sort((a, b) => b.count - a.count), filter = `town = '${towns[0].id}'`, file = path.join(dir, 'town.tif');
        await writeFile(file, (await ask(`/density/hazard.tif?${query({ filter, bandwidth: 800, cell: 50 })}`)).body);
        const { value } = await raster(file), top = value.reduce((most, v) => Math.max(most, v || 0), 0);
        const all = await legend({}), own = await legend({ filter }), week = await legend({ filter, datetime: '2023-05-01/2023-05-20' });
        // Cells of a raster may miss the top of a peak.
        assert.ok(own.most >= 0.99 * top && own.most < 1.05 * top, `${own.most} for ${top}`);
        assert.ok(own.scale > 2 * own.total / all.total, 'the share of the weight alone would be one blot of the last colour');
        assert.ok(Math.abs(own.focus * own.total / all.total - own.scale) < 1e-9);
        assert.ok(Math.abs(week.most - own.most * week.total / own.total) < 1e-6 * own.most, 'of a period its share');
        assert.equal(all.focus, 1);
        assert.equal((await legend({ filter: 'severity >= 1' })).most, all.most);
        // Sides that are compared: one legend, that of the closer one; of nothing none.
        const other = `town = '${towns[5].id}'`, from = ({ steps }) => steps.map((s) => s.from);
        const pair = await legend({ filter, with_filter: other });
        assert.deepEqual(from(pair), from(await legend({ filter: other, with_filter: filter })));
        assert.equal(pair.focus, Math.max(own.focus, (await legend({ filter: other })).focus));
        const month = { datetime: '2023-05-03/2023-05-28' }, alone = await legend(month);
        assert.deepEqual(from(await legend({ ...month, with_datetime: '2020-05-03/2020-05-28' })), from(alone));
        assert.deepEqual(from(await legend({ datetime: '2020-05-03/2020-05-28', with_datetime: month.datetime })), from(alone));
        // Of persons the densest place is somebody's: what a filter leaves of them is not looked at.
        const persons = await askAs(url, who.admin)(`/legend/heat:visit.json?${query({ filter })}`);
        assert.equal(persons.status, 200);
        assert.equal(persons.json().focus, 1);
    });

    await t.test('in pieces, and by GDAL', async () => {
        const whole = await ask('/density/hazard.tif'), { etag } = whole.headers;
        const part = await ask('/density/hazard.tif', { headers: { range: 'bytes=8-107', 'if-range': etag } });
        assert.equal(part.status, 206);
        assert.deepEqual(part.body, whole.body.subarray(8, 108));
        assert.equal((await ask('/density/hazard.tif', { headers: { 'if-none-match': etag } })).status, 304);
        assert.equal((await ask('/density/hazard.tif', { method: 'HEAD' })).headers['content-length'], String(whole.body.length));
        assert.notEqual((await ask('/density/hazard.tif?datetime=2023-06')).headers.etag, etag);
        assert.notEqual((await ask('/density/hazard.tif?cell=200')).headers.etag, etag);
        const { stdout } = await run('gdalinfo', [`/vsicurl/${url}/density/hazard.tif`], { GDAL_HTTP_HEADERS: `Authorization: Bearer ${who.analyst}`, GDAL_DISABLE_READDIR_ON_OPEN: 'EMPTY_DIR' });
        assert.match(stdout, /Type=Float32/);
    });

    await t.test('what is wrong, and what is not given', async () => {
        for (const [target, status, parameter] of [
            ['/density/nix.tif', 404], ['/density/.tif', 404], ['/density/hazard.png', 404], ['/density/hazard.tif?cell=1', 422, 'cell'],
            ['/density/hazard.tif?cell=0', 400, 'cell'], ['/density/hazard.tif?cell=nan', 400, 'cell'], ['/density/hazard.tif?palette=dark', 400, 'palette'],
            ['/density/hazard.tif?filter=nothing%3D1', 400, 'filter'],
            ['/density/hazard.tif?bbox=114,22,113,23', 400, 'bbox'], ['/density/hazard.tif?bandwidth=1', 400, 'bandwidth'],
            ['/density/rental_fire.tif', 404], ['/density/address.tif?weight=residents', 400, 'weight'], ['/density/worker.tif', 404]]) {
            const answer = await ask(target);
            assert.equal(answer.status, status, `${target}: ${answer.text().slice(0, 300)}`);
            if (parameter) assert.equal(answer.json().parameter, parameter, target);
            if (status === 422) assert.match(answer.json().detail, /cells of [\d.]+ m/);
        }
        assert.equal((await askAs(url, who.admin)('/density/rental_fire.tif')).status, 200);
        assert.equal((await askAs(url, who.wall)('/density/hazard.tif')).status, 404);
        assert.equal((await get(`${url}/density/hazard.tif`)).status, 401);
        const folder = path.join(city, 'audit'), lines = (await Promise.all((await readdir(folder)).map((f) => readFile(path.join(folder, f), 'utf8')))).join('');
        assert.match(lines, /density\/hazard\.tif\?filter=severity/);
    });
});
