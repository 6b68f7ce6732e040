// What the analyst's page gives away, opened by those who will: every file of
// every view, and every address that it offers to copy.
//
// Plan
//   each view's links are read off the page and fetched as the page would, by
//   an analyst with a token; GDAL opens each, and finds what the page said
//   addresses to copy are opened by GDAL's own drivers, with the token alone
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';

import { browse, skip, until } from './analyst_page.mjs';
import { askAs, makeSynthetic, token } from './roles.mjs';
import { serve } from './server.mjs';

const run = promisify(execFile), MANY = { maxBuffer: 64 << 20 };

/** The views, and which kinds of files each has besides those of rows. */
const VIEWS = [
    ['layer=hazard', ['tif']],
    ["layer=hazard&layers=heat&filter=severity%3E%3D3&time=2023-05-01/2023-06-26&kernel=gaussian&bandwidth=1600&halflife=30&weight=severity", ['tif']],
    ['layer=hazard&layers=heat&model=rental_fire', ['tif']],
    ['layer=rental&layers=rental', ['tif']],
    ['layer=hazard&layers=choropleth&units=village&stat=rate&per=house', ['tif']],
    ...['gistar', 'moran', 'eb', 'emerging'].map((spots) => [`layer=hazard&layers=hotspots&spots=${spots}&units=village`, ['tif', 'geojson', 'csv']]),
    ['layer=hazard&layers=hotspots&units=hex:1000', ['tif', 'geojson', 'csv']],
    ['layer=hazard&layers=hotspots&spots=dbscan', ['tif', 'geojson', 'csv']],
    ...['patrol', 'workload', 'service', 'partition', 'site'].map((kind) => [`layer=hazard&layers=coverage&coverage=${kind}&time=2023-05-01/2023-05-31`, ['tif', 'geojson', 'csv']]),
    ['layer=hazard&area=circle:113.75,23.02,6000', ['tif']],
];

test('every file and every address of the page is opened', { skip }, async (t) => {
    const { dir, city } = await makeSynthetic(t, 0.004), analyst = await token(city, 'analyst');
    const { url } = await serve(t, city, '--read-only'), ask = askAs(url, analyst);
    const { page } = await browse(t, `${url}/analyst?token=${analyst}`, { flags: ['--disable-3d-apis'] });
    const seen = new Map();
    let copied = [];

    /** GDAL's word of a file: rows of vectors, bands of rasters. */
    const opened = async (file) => {
        if (file.endsWith('.tif')) return JSON.parse((await run('gdalinfo', ['-json', '-stats', file], MANY)).stdout);
        const { stdout } = await run('ogrinfo', ['-so', '-al', file], MANY);
        return { rows: [...stdout.matchAll(/Feature Count: (\d+)/g)].reduce((sum, m) => sum + Number(m[1]), 0), layers: [...stdout.matchAll(/Layer name:/g)].length, said: stdout };
    };

    for (const [view, kinds] of VIEWS) await t.test(view, async () => {
        await page.goto('about:blank');
        await page.goto(`${url}/analyst#${view}&pane=export`);
        await until('how many rows it holds', () => page.evaluate(() => document.querySelectorAll('.pane-exports a.file').length > 4 && /\d/.test(document.querySelector('.pane-exports .note')?.textContent ?? '')));
        // What is of the view comes with the map.
        await until('the map', () => page.evaluate(() => !!document.querySelector('#map canvas, #map img') && !!document.querySelector('.pane-exports section:nth-last-of-type(2) .files *')));
        const links = await page.evaluate(() => [...document.querySelectorAll('.pane-exports a.file')].map((a) => a.getAttribute('href')));
        const holds = await page.evaluate(() => Number(/[\d,]+/.exec(document.querySelector('.pane-exports .note').textContent)[0].replaceAll(',', '')));
        copied = await page.evaluate(() => [...document.querySelectorAll('.address input')].map((a) => a.value));
        const endings = [];
        for (const href of links) {
            const at = new URL(href, url), ending = at.searchParams.get('f') ?? path.extname(at.pathname).slice(1);
            endings.push(ending);
            if (seen.has(href)) continue;
            const answer = await ask(href), file = path.join(dir, `export-${seen.size}.${ending}`);
            seen.set(href, file);
            // Values of a model that weighs levels of houses are not for an analyst: the page says so when it is asked.
            if (view.includes('model=rental_fire') && ending === 'tif') {
                assert.equal(answer.status, 404, href);
                await page.click(`.pane-exports a.file[href="${href}"]`);
                await until('it is said', () => page.evaluate(() => /不能取走/.test(document.querySelector('.pane-exports').textContent)));
                continue;
            }
            assert.equal(answer.status, 200, `${href}: ${answer.body.subarray(0, 200)}`);
            await writeFile(file, answer.body);
            const found = await opened(file);
            if (ending === 'tif') {
                const [band] = found.bands;
                assert.equal(band.type, 'Float32', href);
                assert.ok(found.size[0] > 100 && band.maximum > 0 && Number.isFinite(band.mean), `${href}: ${JSON.stringify(band)}`);
                assert.ok(found.coordinateSystem.wkt.length > 100, href);
            } else if (at.pathname.startsWith('/collections/')) {
                assert.equal(found.rows, holds, `${href}: rows`);
            } else {
                assert.ok(found.rows > 0 && found.layers === 1, `${href}: ${found.said.slice(0, 300)}`);
            }
        }
        for (const kind of ['gpkg', 'fgb', 'csv', 'geojson', ...kinds]) assert.ok(endings.includes(kind), `${kind} of ${endings}`);
    });

    await t.test('pictures: server\'s of every size, from the page', async () => {
        await page.goto('about:blank');
        await page.goto(`${url}/analyst#layer=hazard&layers=choropleth,heat@60&units=village&filter=severity%3E%3D2&time=2023-05-01/2023-06-26&pane=export`);
        const size = page.locator('.pane-exports select', { has: page.locator('option[value=report]') });
        for (const [name, wide] of [['report', 1600], ['poster', 3840]]) {
            await until('a choice', () => size.isVisible());
            await size.selectOption(name);
            const href = await until('a link', () => page.evaluate(() => [...document.querySelectorAll('.pane-exports a.file')].map((a) => a.getAttribute('href')).find((h) => h.startsWith('/map.png'))));
            const at = new URL(href, url);
            // What is on the screen, and how strongly.
            assert.equal(at.searchParams.get('opacity'), '100,100,60,100');
            assert.equal(at.searchParams.get('datetime'), '2023-05-01/2023-06-26');
            const answer = await ask(href), file = path.join(dir, `${name}.png`);
            assert.equal(answer.status, 200, `${href}: ${answer.body}`);
            await writeFile(file, answer.body);
            assert.equal(JSON.parse((await run('gdalinfo', ['-json', file])).stdout).size[0], wide);
        }
    });

    await t.test('a picture that is made in the page: risk colours have their shapes in its legend', async () => {
        const cover = await page.evaluate(async () => {
            const { draw } = await import('/pages/profile/poster.js'), legend = await (await fetch('/legend/hazard.json?lang=zh')).json();
            const map = { view: () => ({ lonDeg: 113.7, latDeg: 22.9, zoom: 12 }), project: () => ({ x: 0, y: 0 }) };
            const png = await draw({ map, width: 500, height: 400, sheets: [], shapes: [], opacity: 1, figure: String, lines: ['x'], legends: [{ name: 'n', unit: '', legend }] });
            const picture = await createImageBitmap(png), pen = new OffscreenCanvas(picture.width, picture.height).getContext('2d');
            pen.drawImage(picture, 0, 0);
            const { data } = pen.getImageData(0, 0, picture.width, picture.height);
            // Of each colour: its box, and how much of it is covered.
            return legend.items.map(({ color, mark = 'disc' }) => {
                const want = [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16));
                let [n, x0, y0, x1, y1] = [0, 1e9, 1e9, -1, -1];
                for (let i = 0; i < data.length; i += 4) if (want.every((v, k) => Math.abs(data[i + k] - v) < 8)) {
                    const at = i / 4, x = at % picture.width, y = Math.floor(at / picture.width);
                    [n, x0, y0, x1, y1] = [n + 1, Math.min(x0, x), Math.min(y0, y), Math.max(x1, x), Math.max(y1, y)];
                }
                return { mark, n, share: n / ((x1 - x0 + 1) * (y1 - y0 + 1)) };
            });
        });
        const shares = { triangle: [0.4, 0.6], diamond: [0.4, 0.6], disc: [0.7, 0.85], square: [0.97, 1] };
        assert.deepEqual(new Set(cover.map((c) => c.mark)), new Set(Object.keys(shares)));
        for (const { mark, n, share } of cover) assert.ok(n > 50 && share >= shares[mark][0] && share <= shares[mark][1], `${mark}: ${n} pixels, ${share} of their box`);
    });

    await t.test('addresses are opened by GDAL with the token', async () => {
        const env = { ...process.env, GDAL_HTTP_HEADERS: `Authorization: Bearer ${analyst}`, GDAL_ENABLE_WMS_CACHE: 'NO' }, as = { ...MANY, env };
        const address = (word) => copied.find((a) => a.includes(word)), features = copied.find((a) => new URL(a).pathname === '/');
        assert.ok(copied.length >= 5, copied.join('\n'));
        const count = JSON.parse((await ask('/stats/town')).body).count;
        const { stdout: rows } = await run('ogrinfo', ['-so', `OAPIF:${features.replace(/\/$/, '')}`, 'town'], as);
        assert.match(rows, new RegExp(`Feature Count: ${count}`));
        const { stdout: wmts } = await run('gdalinfo', ['-json', `WMTS:${address('WMTSCapabilities')},layer=heat:hazard,tilematrixset=WebMercatorQuad`], as);
        assert.equal(JSON.parse(wmts).bands.length >= 3, true);
        // A picture of it, as somebody would take it.
        const out = path.join(dir, 'wmts.tif');
        await run('gdal_translate', ['-q', '-outsize', '400', '0', '-projwin_srs', 'EPSG:4326', '-projwin', '113.6', '23.1', '113.9', '22.9', `WMTS:${address('WMTSCapabilities')},layer=base,tilematrixset=WebMercatorQuad,tilematrix=11`, out], as);
        assert.ok(JSON.parse((await run('gdalinfo', ['-json', '-stats', out])).stdout).bands[0].stdDev > 3);
        const { stdout: items } = await run('ogrinfo', ['-so', '-al', `/vsicurl?url=${encodeURIComponent(address('/items'))}&use_head=no`], as).catch(() => run('ogrinfo', ['-so', '-al', address('/items')], as));
        assert.match(items, /Feature Count: \d+/);
        // QGIS and others send a name and a password: the token is the password.
        const basic = { ...MANY, env: { ...process.env, GDAL_HTTP_USERPWD: `token:${analyst}`, GDAL_HTTP_AUTH: 'BASIC' } };
        assert.match((await run('ogrinfo', ['-so', `OAPIF:${features.replace(/\/$/, '')}`, 'town'], basic)).stdout, new RegExp(`Feature Count: ${count}`));
        await assert.rejects(run('ogrinfo', ['-so', `OAPIF:${features.replace(/\/$/, '')}`, 'town'], { ...MANY, env: { ...basic.env, GDAL_HTTP_USERPWD: `${analyst.slice(0, -1)}:x` } }));
        // Without the token there is nothing.
        await assert.rejects(run('ogrinfo', ['-so', `OAPIF:${features.replace(/\/$/, '')}`, 'town'], MANY));
    });
});
