// The analyst's page while the city changes, in a real browser.
//
// Plan
//   a change elsewhere asks for no tile; one in view for the tiles that it
//   reaches and no others, and the numbers follow; nothing is asked for by
//   the clock
//   the sequence and 'data as of' are shown
//   a layer of persons is counted by unit, and nothing else is asked about it
//   a server that says nothing any more: a banner, which goes when it is back
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { mapWaits } from './analyst_page.mjs';
import { GL, launch, MOST_MS, onTheirWay, rest, skip } from './chromium.mjs';
import { done } from './onemap.mjs';
import { get, makeCity } from './sample.mjs';
import { serve } from './server.mjs';
import { untilWithin } from './until.mjs';

async function browse(t, url) {
    const { page } = await launch(t, { flags: GL, locale: 'zh-CN', viewport: { width: 1200, height: 800 } });
    const log = { way: onTheirWay(page), tiles: [], bad: [], said: [] };
    page.on('response', (r) => { if (r.status() >= 400) log.bad.push(`${r.status()} ${r.url()}`); });
    page.on('request', (r) => { if (r.url().includes('/tiles/heat:')) log.tiles.push(/\/(\d+\/\d+\/\d+)(@2x)?\.png/.exec(r.url())[1]); });
    page.on('pageerror', (e) => log.said.push(e.message));
    await page.goto(url);
    return { page, log };
}

const until = untilWithin(MOST_MS);

const quiet = (page, log) => rest(page, log.way, mapWaits);

test('a layer of persons: counts, and no question that is refused', { skip }, async (t) => {
    const { city } = await makeCity(t), file = path.join(city, 'city.json');
    const manifest = JSON.parse(await readFile(file, 'utf8'));
    manifest.layers.find((l) => l.name === 'place').personal = true;
    await writeFile(file, JSON.stringify(manifest));
    const { url } = await serve(t, city);
    const { page, log } = await browse(t, `${url}/analyst#layer=place&map=11.5/22.9/113.7`);
    await until('the total', async () => /^5,000/.test(await page.textContent('#total')));
    await quiet(page, log);
    assert.deepEqual([log.tiles, log.bad, log.said], [[], [], []]);
    assert.equal(await page.isVisible('#result-error'), false);
    assert.match(await page.textContent('#legend'), /个人位置/);
    assert.ok((await page.$$('#table tr')).length > 10);
});

test('a page that follows the city', { skip }, async (t) => {
    const { dir, city } = await makeCity(t), { url, child } = await serve(t, city);
    const sequence = async () => Number((await get(`${url}/stats/place`)).headers['data-sequence']);
    const { page, log } = await browse(t, `${url}/analyst#layer=place&map=11.5/22.9/113.7`);
    await quiet(page, log);
    const shown = new Set(log.tiles);
    assert.ok(shown.size > 4);
    assert.equal(await page.textContent('#sequence'), `#${await sequence()}`);

    await t.test('nothing is asked for by the clock', async () => {
        const before = log.tiles.length;
        await page.waitForTimeout(11500);
        assert.equal(log.tiles.length, before);
    });
    await t.test('another layer changes: no tile', async () => {
        const before = log.tiles.length;
        await done('import', city, 'road', path.join(dir, 'roads.geojson'), '--replace', '--id', 'id');
        await until('the sequence', async () => await page.textContent('#sequence') === `#${await sequence()}`);
        await quiet(page, log);
        assert.equal(log.tiles.length, before);
    });
    await t.test('the layer changes as a whole: each tile in view, once, and the numbers', async () => {
        const before = log.tiles.length;
        await writeFile(path.join(dir, 'more.csv'), 'lon,lat,id,kind,weight,note,at\n113.7,22.9,NEW,shop,1,x,2023-04-01T12:00:00+08:00\n');
        await done('import', city, 'place', path.join(dir, 'more.csv'), '--append', '--x', 'lon', '--y', 'lat', '--id', 'id', '--time', 'at');
        await until('the total', async () => /^5,001/.test(await page.textContent('#total')));
        await quiet(page, log);
        const again = log.tiles.slice(before);
        assert.equal(new Set(again).size, again.length, 'no tile twice');
        assert.ok(again.length > 4 && again.every((tile) => shown.has(tile)));
    });
    await t.test('a row is written: the tiles that its heat reaches, and no others', async () => {
        const before = log.tiles.length, lon = 113.7123, lat = 22.9123, bandwidth = 800;
        const answer = await fetch(`${url}/collections/place/items`, { method: 'POST', headers: { 'content-type': 'application/geo+json' },
            body: JSON.stringify({ type: 'Feature', id: 'ONE', geometry: { type: 'Point', coordinates: [lon, lat] }, properties: { kind: 'shop', at: '2023-04-01T12:00:00+08:00' } }) });
        assert.ok(answer.ok, await answer.text());
        await until('the total', async () => /^5,002/.test(await page.textContent('#total')));
        await quiet(page, log);
        const again = log.tiles.slice(before);
        assert.equal(new Set(again).size, again.length, 'no tile twice');
        // Metres from the place to the nearest side of a tile.
        const far = (tile) => {
            const [z, x, y] = tile.split('/').map(Number), n = 2 ** z, degrees = (v) => Math.atan(Math.sinh(Math.PI * (1 - 2 * v / n))) * 180 / Math.PI;
            const west = x / n * 360 - 180, east = (x + 1) / n * 360 - 180, north = degrees(y), south = degrees(y + 1);
            return Math.hypot(Math.max(west - lon, 0, lon - east) * 102500, Math.max(south - lat, 0, lat - north) * 111000);
        };
        const zoom = Math.max(...[...shown].map((tile) => Number(tile.split('/')[0])));
        for (const tile of again) assert.ok(far(tile) <= bandwidth + 300, `${tile} is ${far(tile)} m away`);
        for (const tile of shown)
            if (Number(tile.split('/')[0]) === zoom && far(tile) < bandwidth - 20) assert.ok(again.includes(tile), `${tile} is ${far(tile)} m away`);
        assert.ok(again.length >= 1 && again.length < shown.size / 2, `${again.length} of ${shown.size}`);
    });
    await t.test('silence is told, and its end', async () => {
        assert.equal(await page.isVisible('#silence'), false);
        child.kill('SIGSTOP');
        t.after(() => child.kill('SIGCONT'));
        // A lost line is said at once, and only later that numbers may be old: half a minute is over by the page's clock.
        await page.evaluate(() => {
            const now = Date.now;
            Date.now = () => now() + 30000;
        });
        await until('the banner', async () => /数据可能已过时/.test(await page.textContent('#silence')));
        assert.equal(await page.isVisible('#silence'), true);
        assert.match(await page.textContent('#silence'), /数据可能已过时.*\d{4}年/s);
        child.kill('SIGCONT');
        await until('the banner goes', async () => !await page.isVisible('#silence'));
    });
    assert.deepEqual(log.said, []);
});
