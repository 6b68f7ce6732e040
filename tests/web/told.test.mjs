// What /changes names is what has to be fetched again, and no tile else.
//
// Plan
//   lines and polygons are written at random beside others, with whom they are
//   simplified, and where names make room for each other; after each round two
//   pages, one that listens and one that asks ?since=, have fetched again the
//   tiles of four zooms that live.js finds above what they were told, and none
//   else: no tile that they have is old, of vector tiles, pictures and the base
//   map. Most tiles are not fetched again. A server that begins anew says of all
//   the time what those were told together.
//   a line that ends where another's vertex could go lets that vertex stay, which
//   is in another tile than all of the line: that tile is told, too
//   What remains: the cells of level 18 of a shape's box are told, and all around
//   it in cells of level 14, though little of it may be drawn otherwise.
import assert from 'node:assert/strict';
import http from 'node:http';
import test from 'node:test';

import { EDGE, tilesTouched } from '../../web/pages/live.js';
import { ask as askFor } from './ask.mjs';
import { random } from './onemap.mjs';
import { makeSynthetic } from './roles.mjs';
import { get, tileX, tileY } from './sample.mjs';
import { serve } from './server.mjs';

const ZOOMS = [9, 11, 12, 13], ROUNDS = 5;
// Maps: whose changes they show, how far (in sides of a tile), to which zoom.
const MAPS = ['road', 'water', 'building'].flatMap((layer) => [
    { name: layer, end: '.mvt', layers: [layer], edge: EDGE, zoom: 13 },
    { name: layer, end: layer === 'road' ? '@2x.png' : '.png', layers: [layer], edge: EDGE, zoom: 12 },
]).concat([
    { name: 'base', end: '.png?labels=no', layers: ['road', 'water', 'building'], edge: 0.25, zoom: 13 },
    { name: 'labels', end: '.png', layers: ['road', 'water'], edge: Infinity, zoom: 12 },
]);

const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
const ask = (url, how = {}) => askFor(url, { agent, ...how });
async function each(list, work) {
    let next = 0;
    await Promise.all(Array.from({ length: 8 }, async () => {
        while (next < list.length) await work(list[next++]);
    }));
}

/** What a page has of every tile, and what it fetches when it is told. */
class Page {
    constructor(url, view, tiles) {
        Object.assign(this, { url, view, tiles, tags: new Map(), fetched: 0, told: {} });
    }
    async fetch(list) {
        await each(list, async (tile) => {
            const answer = await ask(this.url + tile.path);
            assert.ok([200, 204].includes(answer.status), `${tile.path}: ${answer.status}`);
            this.tags.set(tile, answer.headers.etag);
        });
        this.fetched += list.length;
    }
    async hear(layers) {
        const old = new Set();
        for (const [layer, touched] of Object.entries(layers)) {
            (this.told[layer] ??= []).push(touched);
            for (const map of MAPS.filter((m) => m.layers.includes(layer))) {
                const at = new Set(tilesTouched(touched, 0, this.view, ZOOMS.at(-1), map.edge).map((t) => `${t.z}/${t.x}/${t.y}`));
                for (const tile of this.tiles) if (tile.map === map && at.has(tile.at)) old.add(tile);
            }
        }
        await this.fetch([...old]);
    }
}

/** Events of a stream, as they come. */
function listen(url) {
    const events = [];
    const request = http.get(url, { headers: { accept: 'text/event-stream' } }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (more) => {
            const blocks = (text += more).split('\n\n');
            text = blocks.pop();
            for (const block of blocks) {
                const of = Object.fromEntries(block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]));
                if (of.data) events.push({ kind: of.event, ...JSON.parse(of.data) });
            }
        }).on('error', () => {});
    }).on('error', () => {});
    return { events, leave: () => request.destroy() };
}

test('pages that fetch what they are told are never old', { timeout: 600000 }, async (t) => {
    const { city } = await makeSynthetic(t, 0.01), first = await serve(t, city, '--beat', '86400'), { url } = first;
    const next = random(23), pick = (list) => list[Math.floor(next() * list.length)];
    const view = (await get(`${url}/tiles/road.json`)).json().bounds, [west, south, east, north] = view;
    const tiles = [];
    for (const map of MAPS)
        for (const z of ZOOMS.filter((zoom) => zoom <= map.zoom))
            for (let x = tileX(west, z); x <= tileX(east, z); x++)
                for (let y = tileY(north, z); y <= tileY(south, z); y++) tiles.push({ map, at: `${z}/${x}/${y}`, path: `/tiles/${map.name}/${z}/${x}/${y}${map.end}` });
    const begun = (await get(`${url}/changes?f=json`)).json().next;
    const heard = new Page(url, view, tiles), asked = new Page(url, view, tiles);
    await heard.fetch(tiles);
    for (const [tile, tag] of heard.tags) asked.tags.set(tile, tag);
    const initial = new Map(heard.tags);
    const ear = listen(`${url}/changes`);
    t.after(() => ear.leave());
    let at = 0, since = begun, last = begun;
    const catchUp = async () => {
        for (; at < ear.events.length; at++) {
            assert.notEqual(ear.events[at].kind, 'reset');
            if (ear.events[at].kind === 'change') await heard.hear(ear.events[at].layers);
        }
        const news = (await get(`${url}/changes?since=${since}`)).json();
        assert.equal(news.reset, false);
        since = news.next;
        await asked.hear(news.layers);
    };

    const features = {};
    for (const layer of ['road', 'water', 'building']) features[layer] = (await get(`${url}/collections/${layer}/items?limit=2000`)).json().features;
    const moved = (c, by) => (typeof c[0] === 'number' ? by(c) : c.map((d) => moved(d, by)));
    const write = async (round, k) => {
        const layer = pick(['road', 'road', 'building', 'building', 'water']), one = pick(features[layer]), id = encodeURIComponent(one.id);
        const properties = { ...one.properties };
        for (const unit of ['id', 'grid', 'village', 'town']) delete properties[unit];
        const send = async (method, path, feature) => {
            const answer = await ask(`${url}/collections/${layer}/items${path}`, { method, body: feature });
            assert.ok([200, 201, 204].includes(answer.status), `${method} ${layer}${path}: ${answer.status} ${answer.body}`);
        };
        const kind = pick(['beside', 'beside', 'bent', 'gone']);
        if (kind === 'gone') {
            await send('DELETE', `/${id}`);
            features[layer].splice(features[layer].indexOf(one), 1);
            return;
        }
        // Beside it, so that both are looked at together; or its vertices a little elsewhere.
        const east = (next() - 0.5) * 0.004, up = (next() - 0.5) * 0.004, scale = kind === 'beside' ? 1 : 1 + (next() - 0.5) * 0.02;
        const [x0, y0] = one.geometry.coordinates.flat(Infinity);
        const coordinates = moved(one.geometry.coordinates, ([x, y]) => [x0 + (x - x0) * scale + (kind === 'beside' ? east : 0), y0 + (y - y0) * scale + (kind === 'beside' ? up : 0)]);
        const feature = { type: 'Feature', id: kind === 'beside' ? `新${round}-${k}` : one.id, geometry: { ...one.geometry, coordinates }, properties };
        await send(kind === 'beside' ? 'POST' : 'PUT', kind === 'beside' ? '' : `/${id}`, feature);
        if (kind === 'beside') features[layer].push(feature);
        else Object.assign(one, feature);
    };

    /** Tiles that a page has and that are others now. */
    const old = async () => {
        const list = [];
        await each(tiles, async (tile) => {
            const answer = await ask(url + tile.path, { headers: { 'if-none-match': heard.tags.get(tile) } });
            assert.ok([200, 204, 304].includes(answer.status), `${tile.path}: ${answer.status}`);
            if (answer.status !== 304) list.push(`heard ${tile.path}`);
            if (answer.headers.etag !== asked.tags.get(tile)) list.push(`asked ${tile.path}`);
        });
        return list;
    };
    let few = 0;
    for (let round = 0; round < ROUNDS; round++) {
        const before = new Map(heard.tags);
        heard.fetched = asked.fetched = 0;
        for (let k = 0; k <= round % 3; k++) await write(round, k);
        last = Number((await get(`${url}/collections`)).headers['data-sequence']);
        // Classes that have become others are told within a second or so.
        for (let wait = 0, wrong; ; wait++) {
            await catchUp();
            wrong = ear.events.at(-1)?.sequence >= last ? await old() : ['what was written has not been told'];
            if (!wrong.length) break;
            if (wait === 60) assert.fail(`round ${round}: ${wrong.length} tiles are old: ${wrong.slice(0, 8).join(', ')}`);
            await new Promise((resolve) => setTimeout(resolve, 250));
        }
        const fresh = tiles.filter((tile) => heard.tags.get(tile) !== before.get(tile));
        t.diagnostic(`round ${round}: ${fresh.length} of ${tiles.length} tiles are new, ${heard.fetched} and ${asked.fetched} were fetched`);
        assert.ok(fresh.length);
        few += heard.fetched < tiles.length / 2;
    }
    assert.ok(few > ROUNDS / 2, `${few} rounds were told closely`);

    // All at once, from the journal, by one that was not there.
    await first.stop();
    const again = await serve(t, city, '--beat', '86400');
    const all = (await get(`${again.url}/changes?since=${begun}`)).json(), late = new Page(again.url, view, tiles);
    assert.equal(all.reset, false);
    assert.deepEqual(Object.keys(all.layers).sort(), Object.keys(heard.told).sort());
    await late.hear(all.layers);
    await each(tiles, async (tile) => {
        if (late.tags.has(tile)) return;
        // What it was not told of is as it was at first.
        assert.equal((await ask(again.url + tile.path)).headers.etag, initial.get(tile), tile.path);
    });
});

test('a vertex that stays because of a line elsewhere is told', async (t) => {
    const { city } = await makeSynthetic(t, 0.002), { url } = await serve(t, city);
    const box = (await get(`${url}/tiles/road.json`)).json().bounds, z = 15, side = 2 ** (32 - z);
    // Two tiles beside each other in one cell of level 14, and a place between them.
    const x = tileX((box[0] + box[2]) / 2, z) | 1, y = tileY((box[1] + box[3]) / 2, z), from = [x * side - 45000, (y + 0.5) * side];
    const at = ([dx, dy]) => [(from[0] + dx + 0.5) / 2 ** 32 * 360 - 180, Math.atan(Math.sinh(Math.PI * (1 - 2 * (from[1] + dy + 0.5) / 2 ** 32))) * 180 / Math.PI];
    const road = async (id, ...places) => assert.equal((await ask(`${url}/collections/road/items`, { method: 'POST', body: JSON.stringify(
        { type: 'Feature', id, geometry: { type: 'LineString', coordinates: places.map(at) }, properties: { kind: 'street', name: id } }) })).status, 201);
    // Half a metre beside the straight way: at this zoom the one in the middle goes.
    await road('甲', [0, 0], [48001, 48000], [64000, 64000]);
    const there = `${url}/tiles/road/${z}/${x}/${y}.mvt`, before = await ask(there), since = (await get(`${url}/changes?f=json`)).json().next;
    const ear = listen(`${url}/changes`);
    t.after(() => ear.leave());
    assert.ok(before.body.length);
    // Unless a road ends on that way, in the other tile.
    await road('乙', [12000, 12000], [9000, 15000]);
    const after = await ask(there);
    assert.notEqual(after.headers.etag, before.headers.etag);
    assert.notEqual(Buffer.compare(after.body, before.body), 0);
    const is = (told) => tilesTouched(told.road, 0, box, z, EDGE).some((tile) => tile.z === z && tile.x === x && tile.y === y);
    assert.ok(is((await get(`${url}/changes?since=${since}`)).json().layers), 'who asks is told');
    for (let wait = 0; !ear.events.some((e) => e.kind === 'change'); wait++) {
        assert.ok(wait < 300, 'who listens is told');
        await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.ok(ear.events.filter((e) => e.kind === 'change').some((e) => is(e.layers)), 'and of the same');
});
