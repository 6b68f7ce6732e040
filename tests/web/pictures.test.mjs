// Pictures: the base map, units, rows, large pictures, legends.
//
// Plan
//   every kind of name comes as PNG of its size; pngcheck has no complaint
//   a tile over HTTP is the command line's, and a piece of /map.png
//   a wall goes on behind its bezels; what is too large is told the limit
//   wrong questions are told which parameter is wrong
//   legends say what the colours mean, in both languages
//   what is compared has one legend, whichever side is asked, made from both
//   without a font there are maps without labels, and /health says so
//   a Leaflet page in a browser shows every tile it asks for
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';

import { launch, skip } from './chromium.mjs';
import { done, folder, onemap } from './onemap.mjs';
import { decode } from './png.mjs';
import { charge, serve } from './server.mjs';
import { untilWithin } from './until.mjs';

const require = createRequire(path.resolve('web/pages/package.json'));
const run = promisify(execFile), until = untilWithin(120e3);

// Downtown of the synthetic city.
const LON = 113.76, LAT = 23.04;
function tileOf(z) {
    const n = 2 ** z, phi = LAT * Math.PI / 180;
    return [Math.floor((LON + 180) / 360 * n), Math.floor((1 - Math.asinh(Math.tan(phi)) / Math.PI) / 2 * n)];
}
function centreOf(z, x, y) {
    const n = 2 ** z;
    return [x / n * 360 - 180, Math.atan(Math.sinh(Math.PI * (1 - 2 * y / n))) * 180 / Math.PI];
}

async function makeCity(t) {
    const dir = await folder(t), city = path.join(dir, 'city');
    await done('synth', path.join(dir, 'src'), '--scale', '0.002', '--quiet');
    await done('import', city, '--all', path.join(dir, 'src'), '--quiet');
    return { dir, city };
}

const colours = ({ rgba }) => {
    const seen = new Set();
    for (let i = 0; i < rgba.length; i += 4) seen.add(rgba.readUInt32BE(i));
    return seen.size;
};
/** A window of a picture. */
function crop({ width, rgba }, x, y, w, h) {
    const out = Buffer.alloc(w * h * 4);
    for (let row = 0; row < h; row++) rgba.copy(out, row * w * 4, ((y + row) * width + x) * 4, ((y + row) * width + x + w) * 4);
    return out;
}
/** The colours of palettes are the nearest ones, so not quite the same. */
function far(a, b) {
    let most = 0;
    for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i] - b[i]));
    return most;
}

test('pictures', async (t) => {
    const { dir, city } = await makeCity(t);
    // Sums of persons and duties week by week are for those in charge.
    const { args, auth } = await charge(dir);
    const server = await serve(t, city, ...args);
    const get = async (target) => {
        const response = await fetch(server.url + target, { headers: auth });
        return { status: response.status, type: response.headers.get('content-type'), body: Buffer.from(await response.arrayBuffer()) };
    };
    const picture = async (target) => {
        const { status, type, body } = await get(target);
        assert.equal(status, 200, `${target}: ${body}`);
        assert.equal(type, 'image/png', target);
        return { ...decode(body), body };
    };
    const at = (name, z, query = '', scale = '') => `/tiles/${name}/${z}/${tileOf(z).join('/')}${scale}.png${query}`;

    await t.test('come as PNG, of the size that was asked for', async (t) => {
        const names = [['base', ''], ['base:light', ''], ['base:dark', '?labels=no'], ['labels', ''], ['base', '?palette=light'],
            ['choropleth:town', '?layer=hazard'], ['choropleth:grid', '?layer=hazard&stat=rate&per=area'],
            ['choropleth:village', '?layer=address&stat=sum&column=residents&palette=light'],
            ['choropleth:town', '?layer=hazard&per=house'], ['choropleth:grid', '?layer=hazard&stat=gistar'],
            ['choropleth:town', '?stat=service&column=share_10min'],
            ['hazard', ''], ['hazard', '?filter=severity%3E2&datetime=2023-05-01/..'], ['hazard', '?by=status&palette=light'],
            ['rental', ''], ['building', '?by=floors'], ['building', ''], ['address', ''], ['road', ''], ['town', ''], ['grid', '?by=town']];
        for (const [name, query] of names)
            for (const z of [9, 13, 16]) {
                const p = await picture(at(name, z, query));
                assert.deepEqual([p.width, p.height], [256, 256], name);
                assert.ok(p.colour === 3, `${name} has a palette`);
                assert.ok(p.body.length < 80000, `${name} at ${z}: ${p.body.length} bytes`);
                if (name.startsWith('base')) assert.ok(colours(p) > 3, `${name} at ${z} is drawn`);
            }
        for (const [scale, query, side] of [['@2x', '', 512], ['', '?size=512', 512], ['@2x', '?size=512', 1024]])
            assert.equal((await picture(at('base', 12, query, scale))).width, side);
        // Nothing there: a transparent picture.
        const empty = await picture('/tiles/hazard/12/1/1.png');
        assert.equal(colours(empty), 1);
        assert.equal(empty.rgba[3], 0);
        const files = [];
        for (const [i, target] of [at('base', 11), at('hazard', 14), at('choropleth:grid', 12, '?layer=hazard'), at('base', 15, '', '@2x'),
            '/map.png?layers=base,hazard&width=700&height=300', '/legend/hazard.png', '/tiles/hazard/12/1/1.png'].entries()) {
            files.push(path.join(dir, `${i}.png`));
            await writeFile(files.at(-1), (await picture(target)).body);
        }
        if (!existsSync('/usr/bin/pngcheck')) return t.diagnostic('pngcheck is not there');
        await run('pngcheck', ['-q', ...files]);
    });

    await t.test('are the same from the command line', async () => {
        for (const [name, z, query, words] of [
            ['base:light', 13, '', []], ['hazard', 14, '?filter=severity%3D4', ['--where', 'severity = 4']],
            ['choropleth:grid', 12, '?layer=hazard&per=area&palette=light', ['--layer', 'hazard', '--per', 'area', '--palette', 'light']],
            ['building', 16, '?by=use', ['--by', 'use']]]) {
            const out = path.join(dir, 'cli.png');
            await done('tile', city, name, `${z}/${tileOf(z).join('/')}`, '--out', out, ...words);
            assert.deepEqual(await readFile(out), (await picture(at(name, z, query))).body, name);
        }
        const wrong = await onemap('tile', city, 'hazard', '3/1/1', '--by', 'nothing', '--out', path.join(dir, 'x.png'));
        assert.equal(wrong.status, 2);
        assert.match(wrong.stderr, /^onemap tile: --by: hazard has no column 'nothing'/);
    });

    await t.test('of several maps are one: /map.png', async () => {
        const z = 13, [x, y] = tileOf(z), [lon, lat] = centreOf(z, x + 1, y + 1);
        const large = await picture(`/map.png?layers=base&center=${lon},${lat}&zoom=${z}&width=512&height=512&legend=no`);
        assert.equal(large.colour, 2, 'opaque');
        for (const [dx, dy] of [[0, 0], [1, 0], [0, 1], [1, 1]]) {
            const tile = await picture(`/tiles/base/${z}/${x + dx}/${y + dy}.png`);
            const off = far(tile.rgba, crop(large, dx * 256, dy * 256, 256, 256));
            assert.ok(off <= 24, `${off} from true colour to the palette`);
        }
        // By its box, and with the city's own.
        const [w, s] = centreOf(z, x, y + 2), [e, n] = centreOf(z, x + 2, y);
        const boxed = await picture(`/map.png?layers=base&bbox=${w},${s},${e},${n}&width=512&height=512&legend=no`);
        assert.equal(far(boxed.rgba, large.rgba), 0, 'the same place by its box');
        const whole = await picture('/map.png?layers=base,heat:overall,town&palette=light&width=800&height=600');
        const bare = await picture('/map.png?layers=base,heat:overall,town&palette=light&width=800&height=600&legend=no');
        assert.ok(colours(bare) > 100);
        assert.ok(far(crop(whole, 0, 400, 200, 200), crop(bare, 0, 400, 200, 200)) > 0, 'a legend');
        assert.equal(far(crop(whole, 250, 0, 200, 600), crop(bare, 250, 0, 200, 600)), 0, 'the map is the same');
        // A map that is seen through is between what lies below and itself.
        const of = (layers, more = '') => picture(`/map.png?layers=${layers}${layers === 'base' ? '' : '&layer=hazard'}&width=400&height=300&legend=no${more}`);
        const [below, above, none, all, half] = [await of('base'), await of('base,choropleth:town'), await of('base,choropleth:town', '&opacity=100,0'), await of('base,choropleth:town', '&opacity=100'), await of('base,choropleth:town', '&opacity=100,50')];
        assert.equal(far(none.rgba, below.rgba), 0);
        assert.equal(far(all.rgba, above.rgba), 0);
        assert.ok(far(half.rgba, below.rgba) > 20 && far(half.rgba, above.rgba) > 20);
        assert.ok(half.rgba.every((v, i) => Math.abs(2 * v - below.rgba[i] - above.rgba[i]) <= 4), 'half of each');
        // What was asked stands in the legend: the same rows, asked otherwise.
        const told = (more) => picture(`/map.png?layers=base,choropleth:town&layer=hazard&width=1000&height=700${more}`);
        const plain = await told(''), places = (w, x, h = 700) => [crop(w, x, 0, 100, h), crop(plain, x, 0, 100, h)];
        for (const more of ['&filter=severity%3E%3D1', '&datetime=2023-01-01/..']) {
            const asked = await told(more);
            assert.ok(far(...places(asked, 50)) > 0, `${more} is in the legend`);
            assert.equal(far(...places(asked, 500)), 0, 'and the map is the same');
        }
        // Without a base map it is transparent, to be laid over others.
        const over = await picture(`/map.png?layers=choropleth:town&layer=hazard&width=400&height=300&legend=no`);
        assert.equal(over.colour, 6);
        assert.equal(over.rgba[3], 0);
    });

    await t.test('go on behind the bezels of a wall', async () => {
        const place = `center=${LON},${LAT}&zoom=12.5&legend=no&labels=no&layers=base,hazard&filter=severity%3E1`;
        const whole = await picture(`/map.png?${place}&width=${600 + 20}&height=${300 + 10}`);
        const wall = await picture(`/map.png?${place}&width=600&height=300&bezel=2x2,20,10`);
        assert.deepEqual([wall.width, wall.height], [600, 300]);
        for (const [c, r] of [[0, 0], [1, 0], [0, 1], [1, 1]])
            assert.equal(far(crop(wall, c * 300, r * 150, 300, 150), crop(whole, c * 320, r * 160, 300, 150)), 0);
        const big = await picture('/map.png?layers=base,town&width=7680&height=2160&scale=2&bezel=4x2,24');
        assert.deepEqual([big.width, big.height], [7680, 2160]);
        assert.ok(big.body.length < 8e6, `${big.body.length} bytes`);
        // What is read stays off the bezels, whatever the screens (tests/tiles/test_wall.c).
        const named = `center=${LON},${LAT}&zoom=12.5&layers=base,hazard&width=900&height=600`;
        for (const [columns, rows, gap] of [[3, 2, 0], [3, 2, 40], [1, 2, 25], [2, 1, 9]]) {
            const a = await picture(`/map.png?${named}&bezel=${columns}x${rows},${gap}`);
            const b = await picture(`/map.png?${named}&bezel=${columns}x${rows},${gap}&legend=no&labels=no`);
            assert.ok(far(a.rgba, b.rgba) > 0, 'labels and legends');
            for (let c = 0; c < columns; c++)
                for (const x of [c * 900 / columns, (c + 1) * 900 / columns - 1])
                    assert.equal(far(crop(a, x, 0, 1, 600), crop(b, x, 0, 1, 600)), 0, `a seam of columns at ${x}`);
            for (let r = 0; r < rows; r++)
                for (const y of [r * 600 / rows, (r + 1) * 600 / rows - 1])
                    assert.equal(far(crop(a, 0, y, 900, 1), crop(b, 0, y, 900, 1)), 0, `a seam of rows at ${y}`);
        }
    });

    await t.test('are not given for wrong questions', async () => {
        const z = 12, place = tileOf(z).join('/');
        for (const [target, status, parameter] of [
            [`/tiles/nowhere/${z}/${place}.png`, 404], [`/tiles/base:blue/${z}/${place}.png`, 404], [`/tiles/choropleth:street/${z}/${place}.png?layer=hazard`, 404],
            [`/tiles/base/${z}/${place}.png?palette=blue`, 400, 'palette'], [`/tiles/base/${z}/${place}.png?filter=id='x'`, 400, 'filter'],
            [`/tiles/base/${z}/${place}.png?size=300`, 400, 'size'], [`/tiles/base/${z}/${place}.png?labels=maybe`, 400, 'labels'],
            [`/tiles/base/${z}/${place}.png?lang=fr`, 400, 'lang'], [`/tiles/hazard/${z}/${place}.png?lang=en`, 400, 'lang'], [`/tiles/hazard/${z}/${place}.mvt?lang=en`, 400, 'lang'],
            [`/tiles/base/${z}/${place}.png?kernel=quartic`, 400, 'kernel'], [`/tiles/hazard/${z}/${place}.png?by=nothing`, 400, 'by'],
            [`/tiles/hazard/${z}/${place}.png?by=reported`, 400, 'by'], [`/tiles/hazard/${z}/${place}.png?filter=severity%3E`, 400, 'filter'],
            [`/tiles/hazard/${z}/${place}.png?datetime=yesterday`, 400, 'datetime'], [`/tiles/rental/${z}/${place}.png?datetime=2023-01`, 400, 'datetime'],
            [`/tiles/hazard/${z}/${place}.png?filter-lang=sql`, 400, 'filter-lang'], [`/tiles/hazard/${z}/${place}.png?stat=count`, 400, 'stat'],
            [`/tiles/choropleth:grid/${z}/${place}.png`, 400, 'layer'], [`/tiles/choropleth:grid/${z}/${place}.png?layer=nothing`, 400, 'layer'],
            [`/tiles/choropleth:grid/${z}/${place}.png?layer=hazard&stat=mean`, 400, 'stat'], [`/tiles/choropleth:grid/${z}/${place}.png?layer=hazard&stat=sum`, 400, 'column'],
            [`/tiles/choropleth:grid/${z}/${place}.png?layer=hazard&stat=sum&column=status`, 400, 'column'],
            [`/tiles/choropleth:grid/${z}/${place}.png?layer=hazard&per=smurf`, 400, 'per'], [`/tiles/choropleth:grid/${z}/${place}.png?layer=town`, 400, 'layer'],
            [`/tiles/choropleth:grid/${z}/${place}.png?stat=service`, 400, 'column'], [`/tiles/choropleth:grid/${z}/${place}.png?stat=service&column=share_10min&layer=hazard`, 400, 'layer'],
            ['/map.png', 400, 'layers'], ['/map.png?layers=base,nowhere', 400, 'layers'], ['/map.png?layers=base,,hazard', 400, 'layers'],
            ['/map.png?layers=heat:nowhere', 400, 'layers'], [`/map.png?layers=${Array(9).fill('base').join()}`, 422, 'layers'],
            ['/map.png?layers=base&width=20000', 400, 'width'], ['/map.png?layers=base&width=16384&height=16384', 422, 'width'],
            ['/map.png?layers=base&width=5', 400, 'width'], ['/map.png?layers=base&scale=9', 400, 'scale'], ['/map.png?layers=base&lang=fr', 400, 'lang'],
            ['/map.png?layers=base&opacity=101', 400, 'opacity'], ['/map.png?layers=base,town&opacity=1,', 400, 'opacity'], ['/map.png?layers=base,town&opacity=1,2,3', 400, 'opacity'],
            ['/map.png?layers=base&opacity=-5', 400, 'opacity'], ['/map.png?layers=base&opacity=', 400, 'opacity'], ['/map.png?layers=base,town&opacity=1%202', 400, 'opacity'],
            ['/map.png?layers=base&bezel=3x2', 400, 'bezel'], ['/map.png?layers=base&bezel=0x2,4', 400, 'bezel'], ['/map.png?layers=base&bezel=2x2,4,4,4', 400, 'bezel'],
            ['/map.png?layers=base,hazard&width=640&height=640&bezel=8x8,4', 400, 'bezel'],
            ['/map.png?layers=base&bezel=2x2,9999', 400, 'bezel'], ['/map.png?layers=base&bezel=-2x2', 400, 'bezel'], ['/map.png?layers=base&bbox=1,2,3', 400, 'bbox'],
            ['/map.png?layers=base&bbox=113,23,113,23', 400, 'bbox'], ['/map.png?layers=base&center=113,23', 400, 'zoom'], ['/map.png?layers=base&zoom=4', 400, 'zoom'],
            ['/map.png?layers=base&center=113;23&zoom=4', 400, 'center'], ['/map.png?layers=base&center=113,23&zoom=4&bbox=1,2,3,4', 400, 'center'],
            ['/map.png?layers=base&filter=severity%3E1', 400, 'filter'], ['/map.png?layers=base,hazard&stat=count', 400, 'stat'],
            ['/map.png?layers=hazard&filter=severity%3E', 400, 'filter'], ['/legend/nowhere.json', 404], ['/legend/hazard.json?kernel=x', 400, 'kernel'],
            ['/legend/choropleth:town.json?layer=hazard&with_datetime=never', 400, 'with_datetime'], ['/legend/choropleth:town.json?layer=hazard&with_filter=severity%3E', 400, 'with_filter'],
            ['/legend/choropleth:town.json?layer=hazard&ramp=red', 400, 'ramp'], ['/legend/choropleth:town.json?layer=hazard&stat=gistar&with_datetime=2023-01', 400, 'with_datetime'],
            ['/legend/choropleth:town.json?stat=service&column=sum_share_10min&datetime=2023-01', 400, 'datetime'], ['/legend/choropleth:town.json?stat=patrol&column=value&with_filter=id=1', 400, 'with_filter'],
            ['/legend/heat:hazard.json?with_datetime=never', 400, 'with_datetime'], ['/legend/heat:hazard.json?with_filter=severity%3E', 400, 'with_filter'],
            ['/legend/heat:hazard.json?form=dots', 400, 'form'], [`/tiles/hazard/${z}/${place}.png?ramp=cool`, 400, 'ramp'], ['/map.png?layers=base&form=lines', 400, 'form'],
        ]) {
            const { status: got, body } = await get(target);
            assert.equal(got, status, `${target}: ${body}`);
            if (parameter) assert.equal(JSON.parse(body).parameter, parameter, `${target}: ${body}`);
        }
        // The limit is in the answer.
        const { body } = await get('/map.png?layers=base&width=16384&height=16384');
        assert.match(JSON.parse(body).detail, /268435456 pixels; the largest picture has 67108864/);
    });

    await t.test('have legends', async () => {
        const legend = async (target) => JSON.parse((await get(target)).body);
        const hazard = await legend('/legend/hazard.json');
        assert.deepEqual(hazard.items.map((i) => i.color), ['#e5484d', '#f2842b', '#f0c24b', '#4b8fe8']);
        assert.equal(hazard.items[0].form, 'dot');
        // Classified risk has its shapes besides its colours.
        assert.deepEqual(hazard.items.map((i) => i.mark ?? 'disc'), ['triangle', 'diamond', 'disc', 'square']);
        assert.deepEqual((await legend('/legend/hazard.json?lang=en')).items.map((i) => i.text), ['high', 'serious', 'moderate', 'low']);
        const grids = await legend('/legend/choropleth:grid.json?layer=hazard&palette=light');
        assert.ok(grids.items.length >= 3 && grids.items.length <= 9);
        assert.equal(grids.unit, '数量');
        // What is not significant lets be seen what lies below: an outline, as the map has it.
        const tested = await legend('/legend/choropleth:grid.json?layer=hazard&stat=gistar&lang=en'), nothing = tested.items.find((i) => i.text === 'not significant');
        assert.equal(nothing.form, 'outline');
        assert.ok(tested.items.every((i) => i === nothing || i.form !== 'outline'));
        const share = async (query) => {
            const { rgba } = await picture(at('choropleth:grid', 13, query));
            let clear = 0;
            for (let i = 3; i < rgba.length; i += 4) clear += rgba[i] === 0;
            return clear / (rgba.length / 4);
        };
        const [counted, seen] = [await share('?layer=hazard'), await share('?layer=hazard&stat=gistar')];
        assert.ok(seen > counted + 0.2, `${seen} of a tile of tests is clear, ${counted} of one of counts`);
        // Coverage says what it paints and the period that it judges, which is its own.
        const patrol = await legend('/legend/choropleth:town.json?stat=patrol&column=value&lang=en');
        assert.match(patrol.title, /^Patrols · judged \d{4}-\d\d$/);
        assert.match(patrol.unit, /^% /);
        // A filter takes the same legend, scaled: fewer of each.
        const least = (l) => Number(/\d+/.exec(l.items[0].text)[0]);
        const some = await legend('/legend/choropleth:grid.json?layer=hazard&palette=light&filter=severity%3E1');
        assert.ok(least(some) < least(grids), `${some.items[0].text} below ${grids.items[0].text}`);
        for (const scale of [1, 2]) assert.ok((await picture(`/legend/rental.png?scale=${scale}`)).width > 50 * scale);
    });

    await t.test('of two that are compared have one legend', async () => {
        const legend = async (name, params) => JSON.parse((await get(`/legend/${name}.json?${new URLSearchParams(params)}`)).body);
        const may = '2023-05', week = '2023-06-20/2023-06-26', few = 'severity>2';
        for (const [name, own] of [['heat:hazard', {}], ['heat:hazard', { per: 'address' }], ['choropleth:town', { layer: 'hazard' }], ['choropleth:grid', { layer: 'hazard', stat: 'rate' }], ['choropleth:town', { stat: 'patrol', column: 'value' }]])
            for (const [a, b] of [[{ datetime: may }, { datetime: week }], [{ datetime: may }, { datetime: may, filter: few }]]) {
                if (own.stat === 'patrol' && (a.filter || b.filter)) continue;
                const beside = ({ datetime, filter }) => ({ ...datetime && { with_datetime: datetime }, ...filter && { with_filter: filter } });
                const [one, other, alone, alone2] = await Promise.all([legend(name, { ...own, ...a, ...beside(b) }), legend(name, { ...own, ...b, ...beside(a) }), legend(name, { ...own, ...a }), legend(name, { ...own, ...b })]);
                const scale = (l) => JSON.stringify(l.steps ?? l.items), what = `${name} ${JSON.stringify([own, a, b])}`;
                assert.equal(scale(one), scale(other), what);
                assert.ok(scale(one) !== scale(alone) || scale(one) !== scale(alone2), `${what}: not that of either`);
                if (one.steps && !own.per) assert.ok(one.scale > 0 && one.scale < 1, what);
            }
        // Half of what both leave: in May a fifth or so of the rows, in a week less.
        const rows = async (filter) => JSON.parse((await get(`/stats/hazard?datetime=${filter}`)).body).count, all = JSON.parse((await get('/stats/hazard')).body).count;
        const { scale } = await legend('heat:hazard', { datetime: may, with_datetime: week });
        assert.ok(Math.abs(scale - (await rows(may) + await rows(week)) / 2 / all) < 1e-9);
        // Coverage is of the period that is asked for.
        assert.match((await legend('choropleth:town', { stat: 'patrol', column: 'value', datetime: week })).title, /考核期 2023-06-20 \/ 2023-06-27/);
        assert.match((await legend('choropleth:town', { stat: 'workload', column: 'value', datetime: '2023-02/2023-04' })).title, /考核期 2023-02 – 2023-04/);
    });

    await t.test('as lines leave what lies below, in the other colours', async () => {
        const z = 11, place = tileOf(z).join('/');
        const share = ({ rgba }) => { let n = 0; for (let i = 3; i < rgba.length; i += 4) n += rgba[i] > 0; return n / (rgba.length / 4); };
        const [fill, lines] = [await picture(`/tiles/heat:hazard/${z}/${place}.png`), await picture(`/tiles/heat:hazard/${z}/${place}.png?form=lines`)];
        assert.ok(share(lines) > 0.01 && share(lines) < share(fill) / 2, `${share(lines)} of ${share(fill)}`);
        const [warm, cool] = [await picture(`/tiles/choropleth:town/${z}/${place}.png?layer=hazard`), await picture(`/tiles/choropleth:town/${z}/${place}.png?layer=hazard&ramp=cool`)];
        const blue = ({ rgba }) => { let b = 0, r = 0; for (let i = 0; i < rgba.length; i += 4) { r += rgba[i]; b += rgba[i + 2]; } return b / r; };
        assert.ok(blue(cool) > 1 && blue(cool) > 1.5 * blue(warm), `${blue(cool)} and ${blue(warm)}`);
        const both = await picture(`/map.png?layers=base,choropleth:town,heat:hazard&layer=hazard&ramp=cool&form=lines&center=${centreOf(z, ...tileOf(z).map((v) => v + 0.5)).join()}&zoom=${z}&width=256&height=256&legend=no`);
        assert.ok(colours(both) > 20);
    });

    await t.test('do without labels where there is no font', async (t) => {
        assert.equal(JSON.parse((await get('/health')).body).labels, true);
        const config = path.join(dir, 'fonts.json');
        await writeFile(config, JSON.stringify({ fonts: '/nowhere/letters.ttf' }));
        const other = await serve(t, city, '--config', config, '--read-only');
        const health = await (await fetch(`${other.url}/health`)).json();
        assert.equal(health.labels, false);
        assert.match(health.labels_missing, /\/nowhere\/letters\.ttf/);
        const target = at('base', 13, '?labels=no');
        const without = Buffer.from(await (await fetch(other.url + at('base', 13))).arrayBuffer());
        assert.equal(far(decode(without).rgba, (await picture(target)).rgba), 0);
        assert.ok(far((await picture(at('base', 13))).rgba, decode(without).rgba) > 0, 'labels elsewhere');
    });

    await t.test('are what a Leaflet page shows', { skip }, async (t) => {
        const leaflet = path.dirname(require.resolve('leaflet/package.json'));
        const page = `<!doctype html><meta charset=utf-8><link rel=stylesheet href=leaflet.css><style>html,body,#m{margin:0;height:100%}</style>
            <div id=m></div><script src=leaflet.js></script><script>
            const map = L.map('m', {fadeAnimation: false, zoomAnimation: false, attributionControl: false}).setView([${LAT}, ${LON}], 13);
            for (const name of ['base:light?labels=no', 'hazard?palette=light', 'labels:light'].entries())
                L.tileLayer('${server.url}/tiles/' + name[1].split('?')[0] + '/{z}/{x}/{y}{r}.png?' + (name[1].split('?')[1] ?? ''), {zIndex: name[0]}).addTo(map);
            window.map = map;</script>`;
        const files = { '/leaflet/': ['text/html', page], '/leaflet/leaflet.js': ['text/javascript', await readFile(path.join(leaflet, 'dist/leaflet.js'))],
            '/leaflet/leaflet.css': ['text/css', await readFile(path.join(leaflet, 'dist/leaflet.css'))] };
        const { page: tab } = await launch(t, { viewport: { width: 900, height: 700 } });
        const tiles = [], bad = [];
        tab.on('response', (r) => {
            if (r.url().includes('/tiles/')) (r.status() === 200 && r.headers()['content-type'] === 'image/png' ? tiles : bad).push(r.url());
        });
        // As a page of the same site: to pages of others nothing is told.
        await tab.route('**/leaflet/**', (route) => {
            const [contentType, body] = files[new URL(route.request().url()).pathname] ?? ['text/plain', ''];
            return route.fulfill({ contentType, body });
        });
        await tab.goto(`${server.url}/leaflet/`);
        /** How many tiles of a zoom are shown, once all of them are. */
        const shown = (z) => until(`tiles of zoom ${z}`, () => tab.evaluate((part) => {
            const all = [...document.querySelectorAll('img.leaflet-tile')].filter((i) => i.src.includes(part));
            return all.every((i) => i.complete && i.naturalWidth > 0) && all.length;
        }, `/${z}/`));
        const count = await shown(13);
        assert.ok(count >= 3 * 12, `${count} tiles are on the page`);
        assert.equal(count % 3, 0, 'as many of each map');
        assert.deepEqual(bad, []);
        assert.ok(new Set(tiles).size >= count);
        const shot = decode(await tab.screenshot());
        assert.ok(colours(shot) > 40, 'a map is to be seen');
        await tab.evaluate(() => window.map.setZoom(15));
        assert.ok(await shown(15) >= 3 * 12);
        assert.deepEqual(bad, []);
    });
});
