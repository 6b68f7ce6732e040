// Ways and coverage of a city that was written to are those of one rebuilt.
//
// Plan
//   random writes of roads, addresses and centres by HTTP; then every layer that
//   was written to is taken out as a file and brought into a fresh city as a
//   whole: where centres should stand, who is near one, what is nearest along the
//   roads and what lies within minutes are answered alike, number by number
import assert from 'node:assert/strict';
import { cp } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { ask } from './ask.mjs';
import { done, folder, random } from './onemap.mjs';
import { get } from './sample.mjs';
import { charge, serve } from './server.mjs';

const SEED = Number(process.env.OM_SEED ?? 20230701);
const LAYERS = ['road', 'address', 'service_centre'];

/** An answer without what names its moment. */
function plain(body) {
    if (Array.isArray(body)) return body.map(plain);
    if (!body || typeof body !== 'object') return body;
    return Object.fromEntries(Object.entries(body)
        .filter(([key]) => !['as_of', 'sequence', 'timeStamp', 'links'].includes(key))
        .map(([key, value]) => [key, plain(value)]));
}

async function write({ url, auth }, method, address, body) {
    const answer = await ask(`${url}/collections/${address}`, { method, headers: auth, body });
    assert.ok([200, 201, 204].includes(answer.status), `${method} ${address}: ${answer.status} ${answer.text()}`);
}

/** Properties of a row that somebody may write. */
function own({ properties }) {
    const { id, grid, village, town, ...rest } = properties;
    return rest;
}

async function write_at_random(server, next) {
    const some = async (layer, n) => (await get(`${server.url}/collections/${layer}/items?limit=${n}&sortby=id`, { headers: server.auth })).json().features;
    const roads = await some('road', 300), addresses = await some('address', 300), centres = await some('service_centre', 20);
    const pick = (list) => list[Math.floor(next() * list.length)];
    const near = ([lon, lat], by) => [lon + (next() - 0.5) * by, lat + (next() - 0.5) * by];
    const line = (coordinates) => ({ type: 'LineString', coordinates });
    const point = (coordinates) => ({ type: 'Point', coordinates });
    const added = [];
    for (let i = 0; i < 25; i++) {
        // From where another begins, so that they meet.
        const from = pick(roads).geometry.coordinates.flat(roads[0].geometry.type === 'MultiLineString' ? 1 : 0)[0];
        const road = { type: 'Feature', id: `N${i}`, geometry: line([from, near(from, 0.01), near(from, 0.02)]), properties: own(pick(roads)) };
        await write(server, 'POST', 'road/items', road);
        added.push(road);
    }
    for (const road of added.slice(0, 8))
        await write(server, 'PUT', `road/items/${road.id}`, { ...road, geometry: line([road.geometry.coordinates[0], near(road.geometry.coordinates[0], 0.015)]) });
    for (const i of [1, 40, 80, 120, 160, 200, 240, 299]) await write(server, 'DELETE', `road/items/${encodeURIComponent(roads[i].id)}`);
    const features = addresses.slice(0, 60).map((a, i) => ({ type: 'Feature', id: `NA${i}`, geometry: point(near(a.geometry.coordinates, 0.004)), properties: { ...own(a), residents: 5 + i } }));
    await write(server, 'POST', 'address/items', { type: 'FeatureCollection', features });
    for (let i = 100; i < 140; i++) await write(server, 'DELETE', `address/items/${encodeURIComponent(addresses[i].id)}`);
    await write(server, 'POST', 'service_centre/items', { type: 'Feature', id: 'NC', geometry: point(near(addresses[9].geometry.coordinates, 0.001)), properties: own(centres[0]) });
    await write(server, 'DELETE', `service_centre/items/${encodeURIComponent(centres[1].id)}`);
    return addresses.filter((_, i) => i % 30 === 7).map((a) => a.geometry.coordinates);
}

async function answers({ url, auth }, places) {
    const asked = ['/coverage/site?k=4&spacing=400', '/coverage/site?k=3&spacing=500&mode=ebike&minutes=5', '/coverage/service?by=town', '/coverage/service?by=grid&mode=ebike',
        ...places.flatMap(([lon, lat]) => [
            `/nearest/service_centre?lon=${lon}&lat=${lat}&k=4&mode=walk&properties=id`, `/nearest/address?lon=${lon}&lat=${lat}&k=30&mode=ebike&properties=id`,
            `/reach?lon=${lon}&lat=${lat}&mode=walk&minutes=10`])];
    const found = new Map();
    for (const target of asked) {
        const answer = await get(url + target, { headers: auth });
        assert.equal(answer.status, 200, `${target}: ${answer.body}`);
        found.set(target, plain(answer.json()));
    }
    return found;
}

test('ways and sites of a city that was written to are those of one rebuilt', { timeout: 600000 }, async (t) => {
    const dir = await folder(t), src = path.join(dir, 'src'), live = path.join(dir, 'live'), anew = path.join(dir, 'anew');
    t.diagnostic(`seed ${SEED}`);
    await done('synth', src, '--scale', 0.004, '--quiet');
    await done('import', live, '--all', src, '--quiet');
    await cp(live, anew, { recursive: true });
    // How many residents are near is for those in charge.
    const { args, auth } = await charge(dir), first = { ...await serve(t, live, '--beat', '86400', ...args), auth };
    // What is kept of the network from before must not be what is answered.
    await answers(first, [[113.75, 23.04]]);
    const places = await write_at_random(first, random(SEED));
    const said = await answers(first, places);
    await first.stop();

    for (const layer of LAYERS) {
        const file = path.join(dir, `${layer}.fgb`);
        await done('query', live, layer, '--format', 'fgb', '--out', file);
        await done('import', anew, layer, file, '--replace', '--quiet');
    }
    const second = { ...await serve(t, anew, '--beat', '86400', ...args), auth };
    const rebuilt = await answers(second, places);
    for (const [target, answer] of said) assert.deepEqual(answer, rebuilt.get(target), target);
    assert.ok([...said.values()].some((a) => JSON.stringify(a).includes('"NC"')), 'the new centre is nobody\'s');
});
