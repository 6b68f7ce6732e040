// Lines, polygons, classes and positions as they are written, on the analyst's
// page in a real browser.
//
// Plan
//   a road, a building: of its layer exactly the tiles above what /changes told
//   are fetched again, of the base map too, of other layers none; it is seen
//   where it lies and nothing is drawn elsewhere
//   another class of one row: the same; a class that nobody had: all of the layer,
//   and the legend has it
//   workers that go elsewhere: the counts by unit that show them, tiles and table,
//   and those on a wall
import assert from 'node:assert/strict';
import test from 'node:test';

import { EDGE, tilesTouched } from '../../web/pages/live.js';
import { askAs, makeSynthetic, token } from './roles.mjs';
import { get } from './sample.mjs';
import { mapWaits } from './analyst_page.mjs';
import { onTheirWay, rest } from './chromium.mjs';
import { serve } from './server.mjs';
import { launch, skip, until } from './wall_page.mjs';

const SIZE = { width: 1200, height: 800 };

/** A page, and the tiles that it asks for: {of: name, at: z/x/y}. */
async function open(context, url) {
    const page = await context.newPage(), log = { way: onTheirWay(page), tiles: [], bad: [] };
    await page.setViewportSize(SIZE);
    page.on('response', (r) => { if (r.status() >= 400) log.bad.push(`${r.status()} ${r.url()}`); });
    page.on('request', (r) => {
        const [, of, at] = /\/tiles\/([^/]+)\/(\d+\/\d+\/\d+)(?:@2x)?\.png/.exec(r.url()) ?? [];
        if (of) log.tiles.push({ of: decodeURIComponent(of), at });
    });
    page.on('pageerror', (e) => log.bad.push(e.message));
    await page.goto(url);
    return { page, log };
}

const quiet = async (page, log) => {
    await until('tiles', () => log.tiles.length > 4);
    await rest(page, log.way, mapWaits);
};

/** Pixels of the map that are others: their box; null: none. */
const changed = (page, before, after) => page.evaluate(async (both) => {
    const [a, b] = await Promise.all(both.map(async (bytes) => {
        const bitmap = await createImageBitmap(new Blob([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], { type: 'image/png' }));
        const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
        context.drawImage(bitmap, 0, 0);
        return context.getImageData(0, 0, bitmap.width, bitmap.height);
    }));
    let box = null;
    for (let i = 0; i < a.data.length; i += 4) {
        if (Math.abs(a.data[i] - b.data[i]) + Math.abs(a.data[i + 1] - b.data[i + 1]) + Math.abs(a.data[i + 2] - b.data[i + 2]) < 24) continue;
        const x = i / 4 % a.width, y = Math.floor(i / 4 / a.width);
        box = box ? [Math.min(box[0], x), Math.min(box[1], y), Math.max(box[2], x), Math.max(box[3], y)] : [x, y, x, y];
    }
    return box;
}, [before, after].map((png) => png.toString('base64')));

test('what is written is seen, and only what it touches is fetched', { skip, timeout: 900000 }, async (t) => {
    const { city } = await makeSynthetic(t, 0.002), first = await serve(t, city, '--beat', '86400'), { url } = first;
    const browser = await launch();
    t.after(() => browser.close());
    const one = async (layer) => (await get(`${url}/collections/${layer}/items?limit=1`)).json().features[0];
    const send = async (method, target, body, type = 'application/geo+json') => {
        const answer = await fetch(url + target, { method, headers: { 'content-type': type }, body: typeof body === 'string' ? body : JSON.stringify(body) });
        assert.ok(answer.ok, `${target}: ${await answer.text()}`);
    };
    const building = await one('building'), [lon, lat] = building.geometry.coordinates.flat(Infinity);
    const own = Object.fromEntries(Object.entries(building.properties).filter(([name]) => !['id', 'grid', 'village', 'town'].includes(name)));
    const { page, log } = await open(browser.context, `${url}/analyst#layer=hazard&layers=road,building&map=16/${lat}/${lon}`);
    await quiet(page, log);
    const shot = () => page.locator('#map').screenshot();
    const shown = new Map();
    for (const { of, at } of log.tiles) shown.set(of, (shown.get(of) ?? new Set()).add(at));
    assert.ok(shown.get('road').size > 2 && shown.get('building').size > 2 && shown.get('base').size > 2);

    /** Write, and look at what is fetched again of each layer. */
    const follow = async (layer, write, { whole = false, seen = true } = {}) => {
        const since = (await get(`${url}/changes?f=json`)).json().next, before = await shot(), from = log.tiles.length;
        await write();
        let after = before, box = null;
        await until(`${layer} is drawn anew`, async () => {
            after = await shot();
            box = await changed(page, before, after);
            return (!seen || box) && log.tiles.slice(from).some((tile) => tile.of === layer);
        });
        const tellings = async () => (await get(`${url}/changes?since=${since}`)).json().layers[layer];
        const zoom = Math.max(...[...shown.get(layer)].map((at) => Number(at.split('/')[0])));
        // That a layer looks otherwise is known once it is drawn, after the row is told.
        if (whole) {
            await until(`${layer} is told as a whole`, async () => (await tellings()).level === 0);
            await until('all of it is asked', () => [...shown.get(layer)].every((at) => Number(at.split('/')[0]) !== zoom || log.tiles.slice(from).some((tile) => tile.of === layer && tile.at === at)));
        }
        await quiet(page, log);
        // What moved meanwhile (a bar of what is on its way) is no part of it.
        if (seen) box = await changed(page, before, await shot());
        const told = await tellings(), again = log.tiles.slice(from);
        assert.equal(told.level === 0, whole);
        const above = new Set(tilesTouched(told, 0, [lon - 0.1, lat - 0.1, lon + 0.1, lat + 0.1], 17, EDGE).map((tile) => `${tile.z}/${tile.x}/${tile.y}`));
        for (const { of, at } of again.filter((tile) => tile.of === layer)) assert.ok(above.has(at), `${of} ${at} was not told`);
        for (const at of shown.get(layer))
            if (Number(at.split('/')[0]) === zoom && above.has(at)) assert.ok(again.some((tile) => tile.of === layer && tile.at === at), `${layer} ${at} was told`);
        for (const { of } of again) assert.ok([layer, 'base', 'labels'].includes(of), `${of} shows no ${layer}`);
        return { again: again.filter((tile) => tile.of === layer), base: again.some((tile) => tile.of === 'base'), box, zoom };
    };

    await t.test('a road', async () => {
        const properties = { kind: 'highway', name: '新路' }, coordinates = [[lon - 0.0006, lat - 0.0004], [lon, lat + 0.0003], [lon + 0.0006, lat + 0.0001]];
        const { base, box } = await follow('road', () => send('POST', '/collections/road/items', { type: 'Feature', id: '新路', geometry: { type: 'LineString', coordinates }, properties }));
        assert.ok(base, 'roads are on the base map');
        // Where it lies: 0.0012 degrees are 56 pixels of zoom 16 shown at 512, and names may move a little around it.
        const { width, height } = await page.locator('#map').boundingBox();
        assert.ok(box[2] >= width / 2 && box[0] <= width / 2 && box[3] >= height / 2 - 20 && box[1] <= height / 2 + 20, `${box}`);
    });
    await t.test('a building', async () => {
        const w = 0.0002, x = lon + 0.0015, y = lat + 0.0012, ring = [[x, y], [x + w, y], [x + w, y + w], [x, y + w], [x, y]];
        const { again, zoom } = await follow('building', () => send('POST', '/collections/building/items', { type: 'Feature', id: '新楼', geometry: { type: 'Polygon', coordinates: [ring] }, properties: own }));
        assert.ok(again.some((tile) => Number(tile.at.split('/')[0]) === zoom));
    });
    await t.test('another class of one', async () => {
        await follow('building', () => send('PATCH', `/collections/building/items/${encodeURIComponent('新楼')}`,
            { type: 'Feature', properties: { use: own.use === 'industrial' ? 'public' : 'industrial' } }, 'application/merge-patch+json'));
    });
    await t.test('a class that nobody had', async () => {
        assert.doesNotMatch(await page.textContent('#legend'), /码头/);
        const { again, zoom } = await follow('building', () => send('PATCH', `/collections/building/items/${encodeURIComponent('新楼')}`,
            { type: 'Feature', properties: { use: '码头' } }, 'application/merge-patch+json'), { whole: true });
        const asked = new Set(again.map((tile) => tile.at));
        for (const at of shown.get('building')) if (Number(at.split('/')[0]) === zoom) assert.ok(asked.has(at), at);
        await until('the legend has it', async () => /码头/.test(await page.textContent('#legend')));
    });
    assert.deepEqual(log.bad, []);
    await page.close();

    await first.stop();

    await t.test('workers that go elsewhere', async (t) => {
        // Whoever only counts them is told when ten have gone; who is in charge at once.
        const admin = await token(city, 'admin'), { url: at } = await serve(t, city, '--beat', '86400');
        const mine = askAs(at, admin), headers = { authorization: `Bearer ${admin}`, 'content-type': 'application/x-ndjson' };
        const { page: crew, log: asked } = await open(browser.context, `${at}/analyst?token=${admin}#layer=worker&layers=choropleth&units=town&map=10/${lat}/${lon}`);
        await quiet(crew, asked);
        const before = asked.tiles.length, counts = () => crew.textContent('#table'), was = await counts();
        const workers = (await mine('/collections/worker/items?limit=8')).json().features, clock = (await mine('/?f=json')).json().clock;
        const answer = await fetch(`${at}/positions`, { method: 'POST', headers, body: workers.map(({ id }) => JSON.stringify({ worker: id, lon, lat, at: clock, on_duty: true }) + '\n').join('') });
        assert.ok(answer.ok, await answer.text());
        const home = (await mine('/stats/worker?by=town')).json().groups;
        t.diagnostic(JSON.stringify(home.filter((g) => g.count).map((g) => g.count)));
        await until('the counts follow', async () => await counts() !== was);
        await until('the map follows', () => asked.tiles.slice(before).some((tile) => tile.of === 'choropleth:town'));
        assert.deepEqual(asked.bad, []);
        await crew.close();

        // On the wall the crews stand beside the names of towns.
        const wall = await browser.context.newPage();
        await wall.goto(`${at}/wall?motion=no&token=${admin}`);
        const beside = () => wall.evaluate(() => Object.fromEntries((window.onemapWall?.overlay?.labels ?? []).filter((l) => l.kind === 'town').map((l) => [l.id, l.beside])));
        const stands = async () => {
            const counted = Object.fromEntries((await mine('/stats/worker?by=town')).json().groups.map((g) => [g.id, String(g.count)])), seen = await beside();
            return Object.keys(seen).length > 3 && Object.entries(seen).every(([id, text]) => text === counted[id]) && JSON.stringify(seen);
        };
        const first = await until('crews are counted', stands), others = (await mine('/collections/worker/items?limit=20')).json().features.slice(12);
        const moved = await fetch(`${at}/positions`, { method: 'POST', headers, body: others.map(({ id }) => JSON.stringify({ worker: id, lon, lat, at: clock, on_duty: true }) + '\n').join('') });
        assert.ok(moved.ok, await moved.text());
        await until('crews follow', async () => {
            const now = await stands();
            return now && now !== first;
        });
    });
});
