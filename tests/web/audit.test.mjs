// The audit of who is shown rows on maps.
//
// Plan
//   tiles: of a token and layer a line for many, with their number, deepest
//   zoom, box and rows; none where no row can be seen; a token each
//   lines: pictures and lists of coverage, one each; of an officer every tile
//   cut: a server's last line, newest and oldest file are missed
//   apart: tiles that lie far from each other have boxes of their own
//   asked: which rows were told to a question whose place is not noted
//   written: who wrote which rows, many to a line
//   refused: wrong tokens by address and minute, with a brake that right ones do
//   not meet
//   order: lines of several servers are told in the order of their times
import assert from 'node:assert/strict';
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { onemap } from './onemap.mjs';
import { askAs, features, groupBy, makeSynthetic, rowsOf, token } from './roles.mjs';
import { get } from './sample.mjs';
import { serve } from './server.mjs';

/** [west, south, east, north] of each box of a line. */
const boxesOf = (line) => new URL(line.target, 'http://x').searchParams.getAll('bbox').map((text) => text.split(',').map(Number));
const tileOf = (lon, lat, z) => {
    const n = 2 ** z, rad = (lat * Math.PI) / 180;
    return [z, Math.floor(((lon + 180) / 360) * n), Math.floor(((1 - Math.asinh(Math.tan(rad)) / Math.PI) / 2) * n)];
};

test('who is shown rows', async (t) => {
    const { city } = await makeSynthetic(t, 0.004);
    const hazards = await rowsOf(city, 'hazard');
    const [[town]] = Object.entries(groupBy(hazards, (row) => row.town)).sort((a, b) => b[1].length - a[1].length);
    const who = { wall: await token(city, 'wall'), analyst: await token(city, 'analyst'), officer: await token(city, 'officer', '--area', `town:${town}`) };
    const id = (role) => who[role].split('.')[1];
    let server = await serve(t, city);
    const as = (role) => askAs(server.url, who[role]);
    const audit = async () => {
        const { stdout, status, stderr } = await onemap('audit', city);
        return { status, stderr, lines: stdout.trim().split('\n').filter(Boolean).map((line) => JSON.parse(line)) };
    };
    const tallies = (lines, role, layer) => lines.filter((l) => l.route === 'tiles' && l.token === id(role) && l.target.startsWith(`/tiles/${layer}?`))
        .map((l) => ({ ...Object.fromEntries(new URL(l.target, 'http://x').searchParams), boxes: boxesOf(l) }));
    const sum = (list, key) => list.reduce((all, one) => all + Number(one[key]), 0);

    await t.test('tiles, many to a line', async () => {
        // As vector tiles say themselves: rows have ids.
        let tiles = 0, rows = 0;
        const deepest = 16, box = [180, 90, -180, -90];
        const asked = new Set(hazards.slice(0, 30).map((row) => tileOf(Number(row.lon), Number(row.lat), deepest).join('/')));
        for (const at of [...asked, ...asked]) {
            const answer = await as('wall')(`/tiles/hazard/${at}.mvt`);
            assert.equal(answer.status, 200);
            const seen = features(answer.body).filter(([name]) => name === 'hazard').length;
            assert.ok(seen);
            tiles++;
            rows += seen;
        }
        for (const row of hazards.slice(0, 30)) {
            box[0] = Math.min(box[0], row.lon); box[1] = Math.min(box[1], row.lat);
            box[2] = Math.max(box[2], row.lon); box[3] = Math.max(box[3], row.lat);
        }
        const [z, x, y] = tileOf(Number(hazards[0].lon), Number(hazards[0].lat), 15);
        for (const target of [`/tiles/hazard/${z}/${x}/${y}.png`, `/collections/hazard/tiles/WebMercatorQuad/${z}/${y}/${x}`, `/wmts/1.0.0/hazard/default/WebMercatorQuad/${z}/${y}/${x}.png`,
            `/wmts?service=WMTS&version=1.0.0&request=GetTile&layer=hazard&style=default&format=image/png&tilematrixset=WebMercatorQuad&tilematrix=${z}&tilerow=${y}&tilecol=${x}`]) {
            const answer = await as('analyst')(target);
            assert.equal(answer.status, 200, target);
            const again = await as('analyst')(target, { headers: { 'if-none-match': answer.headers.etag } });
            assert.ok([200, 304].includes(again.status));
        }
        // Units, cells, nothing at all, what is not told.
        for (const target of ['/tiles/grid/10/834/444.mvt', '/tiles/address/0/0/0.mvt', '/tiles/heat:hazard/12/3339/1778.png', '/tiles/hazard/16/1/1.mvt', '/tiles/visit/12/3339/1778.mvt', '/tiles/none/1/1/1.mvt'])
            await as('wall')(target);
        for (const target of ['/map.png?layers=hazard&width=200&height=200', '/coverage/partition?rows=true', '/coverage/workload?by=town', '/coverage/partition?rows=true'])
            assert.equal((await as('wall')(target)).status, 200, target);
        await as('officer')(`/tiles/hazard/${z}/${x}/${y}.mvt`);
        await server.stop();
        const { lines, status } = await audit();
        assert.equal(status, 0);
        const mine = tallies(lines, 'wall', 'hazard');
        // A minute may have ended in between.
        assert.ok(mine.length >= 1 && mine.length < tiles / 4, `${mine.length}`);
        assert.equal(sum(mine, 'tiles'), tiles);
        assert.equal(sum(mine, 'rows'), rows);
        assert.equal(Math.max(...mine.map((m) => Number(m.zoom))), deepest);
        const bounds = mine.flatMap((m) => m.boxes);
        assert.ok(Math.min(...bounds.map((b) => b[0])) <= box[0] && Math.min(...bounds.map((b) => b[1])) <= box[1]);
        assert.ok(Math.max(...bounds.map((b) => b[2])) >= box[2] && Math.max(...bounds.map((b) => b[3])) >= box[3]);
        assert.equal(sum(tallies(lines, 'analyst', 'hazard'), 'tiles'), 8);
        const wall = lines.filter((l) => l.token === id('wall'));
        for (const layer of ['grid', 'address', 'visit', 'none']) assert.deepEqual(tallies(wall, 'wall', layer), [], layer);
        assert.deepEqual(wall.filter((l) => l.route !== 'tiles').map((l) => l.target), ['/map.png?layers=hazard&width=200&height=200', '/coverage/partition?rows=true', '/coverage/partition?rows=true']);
        assert.ok(lines.some((l) => l.token === id('officer') && l.route === 'tile') && !tallies(lines, 'officer', 'hazard').length);
    });

    await t.test('what was cut is missed', async () => {
        server = await serve(t, city);
        await as('officer')('/collections/hazard/items?limit=1');
        await as('officer')('/collections/hazard/items?limit=2');
        await server.stop();
        const folder = path.join(city, 'audit'), logs = (await readdir(folder)).filter((name) => name.endsWith('.log'));
        assert.equal(logs.length, 2);
        assert.equal((await audit()).status, 0);
        for (const name of logs) {
            const at = path.join(folder, name), text = await readFile(at, 'utf8');
            await writeFile(at, text.slice(0, text.lastIndexOf('\n', text.length - 2) + 1));
            let { status, stderr } = await audit();
            assert.equal(status, 1);
            assert.match(stderr, /its last lines are gone/);
            await rm(at);
            ({ status, stderr } = await audit());
            assert.equal(status, 1);
            assert.match(stderr, /gone before its time/);
            await writeFile(at, text);
        }
        assert.equal((await audit()).status, 0);
    });
});

test('what is asked by a form, written or refused', async (t) => {
    const { dir, city } = await makeSynthetic(t, 0.004);
    const hazards = await rowsOf(city, 'hazard'), rentals = await rowsOf(city, 'rental');
    const [[town, ofTown]] = Object.entries(groupBy(rentals, (row) => row.town)).sort((a, b) => b[1].length - a[1].length);
    const who = { wall: await token(city, 'wall'), officer: await token(city, 'officer', '--area', `town:${town}`), ingest: await token(city, 'ingest'), ended: await token(city, 'wall') };
    const id = (role) => who[role].split('.')[1];
    assert.equal((await onemap('token', city, 'revoke', id('ended'))).status, 0);
    const server = await serve(t, city);
    const send = async (role, method, target, body, headers) => {
        const answer = await fetch(server.url + target, { method, body, headers: { authorization: `Bearer ${who[role] ?? role}`, ...headers } });
        return { status: answer.status, retry: answer.headers.get('retry-after'), text: await answer.text() };
    };
    const form = { 'content-type': 'application/x-www-form-urlencoded' }, geojson = { 'content-type': 'application/geo+json' };
    const feature = (key, at) => JSON.stringify({ type: 'Feature', id: key, geometry: { type: 'Point', coordinates: [Number(at.lon), Number(at.lat)] }, properties: { kind: 'other', at: '2023-06-26T10:00:00+08:00' } });

    // Two corners of the city, and nothing of what lies between.
    const corner = (sign) => hazards.reduce((best, row) => (sign * (Number(row.lon) + Number(row.lat)) > sign * (Number(best.lon) + Number(best.lat)) ? row : best));
    const corners = [corner(-1), corner(1)];
    for (const row of corners) assert.equal((await askAs(server.url, who.wall)(`/tiles/hazard/${tileOf(Number(row.lon), Number(row.lat), 16).join('/')}.mvt`)).status, 200);

    // Rows by a form.
    const few = JSON.parse((await send('officer', 'POST', '/nearest/rental', `lon=${ofTown[0].lon}&lat=${ofTown[0].lat}&k=5`, form)).text).features;
    const many = JSON.parse((await send('officer', 'POST', '/nearest/address', `lon=${ofTown[0].lon}&lat=${ofTown[0].lat}&k=200`, form)).text).features;
    assert.ok(few.length === 5 && many.length > 150);

    // Writes.
    const tips = await rowsOf(city, 'tip'), kinds = tips[0];
    const tip = (key, at) => JSON.stringify({ ...JSON.parse(feature(key, at)), properties: { kind: kinds.kind, status: kinds.status, at: '2023-06-26T10:00:00+08:00' } });
    for (const [i, key] of ['N-1', 'N-2', 'N-3'].entries()) assert.equal((await send('ingest', 'POST', '/collections/tip/items', tip(key, hazards[i]), geojson)).status, 201);
    assert.equal((await send('ingest', 'POST', '/collections/tip/items', tip('N-1', hazards[0]), geojson)).status, 409);
    assert.equal((await send('ingest', 'DELETE', '/collections/tip/items/N-3')).status, 204);
    assert.equal((await send('ingest', 'PATCH', '/collections/tip/items/N-2', JSON.stringify({ type: 'Feature', properties: { status: tips[1].status } }), { 'content-type': 'application/merge-patch+json' })).status, 200);

    // Tokens that are none: told so, then braked; those that are one never wait.
    const codes = {};
    for (let i = 0; i < 130; i++) {
        const { status, retry } = await send(`om1.00000000.${'x'.repeat(42)}${i % 10}`, 'GET', '/collections');
        codes[status] = (codes[status] ?? 0) + 1;
        if (status === 429) assert.ok(Number(retry) >= 1);
    }
    assert.deepEqual(Object.keys(codes), ['401', '429']);
    assert.ok(codes[401] >= 60);
    assert.equal((await send('wall', 'GET', '/collections')).status, 200);
    assert.equal((await get(`${server.url}/collections`)).status, 401);
    // Behind a proxy of this machine others are told as before.
    assert.equal((await send('om1.00000000.no', 'GET', '/collections', undefined, { 'x-forwarded-for': '203.0.113.7, 198.51.100.2' })).status, 401);
    assert.equal((await send('ended', 'GET', '/collections', undefined, { 'x-forwarded-for': '198.51.100.3' })).status, 401);
    assert.equal((await get(`${server.url}/analyst?token=om1.00000000.no`, { headers: { 'x-forwarded-for': '198.51.100.4' } })).status, 401);
    await server.stop();

    const { stdout, status } = await onemap('audit', city);
    const lines = stdout.trim().split('\n').map((line) => JSON.parse(line)), ofQuery = (line) => new URL(line.target, 'http://x').searchParams;
    assert.equal(status, 0);
    const boxes = lines.filter((l) => l.route === 'tiles' && l.token === id('wall')).flatMap(boxesOf);
    assert.ok(boxes.every(([w, s, e, n]) => e - w < 0.02 && n - s < 0.02), JSON.stringify(boxes));
    for (const row of corners) assert.ok(boxes.some(([w, s, e, n]) => w <= row.lon && row.lon <= e && s <= row.lat && row.lat <= n));
    const asked = lines.filter((l) => l.method === 'POST' && l.route === 'nearest_here');
    assert.deepEqual(asked.map((l) => ofQuery(l).get('rows')), [5, many.length].map(String));
    assert.deepEqual(ofQuery(asked[0]).get('ids').split(',').sort(), few.map((f) => String(f.id)).sort());
    assert.equal(ofQuery(asked[1]).get('ids'), null);
    for (const line of asked) assert.equal(ofQuery(line).get('lon'), null);
    for (const { geometry: { coordinates: [lon, lat] } } of many)
        assert.ok(boxesOf(asked[1]).some(([w, s, e, n]) => w <= lon + 1e-5 && lon <= e + 1e-5 && s <= lat + 1e-5 && lat <= n + 1e-5));
    const written = lines.filter((l) => l.route === 'write');
    const sum = (method, key) => written.filter((l) => l.method === method).reduce((all, l) => all + Number(ofQuery(l).get(key)), 0);
    for (const line of written) assert.deepEqual([line.token, line.role, new URL(line.target, 'http://x').pathname], [id('ingest'), 'ingest', '/collections/tip/items']);
    assert.deepEqual(['POST', 'DELETE', 'PATCH', 'PUT'].map((method) => sum(method, 'rows')), [3, 1, 1, 0]);
    assert.deepEqual(written.flatMap((l) => ofQuery(l).get('ids').split(',').map((key) => `${l.method} ${key}`)).sort(), ['DELETE N-3', 'PATCH N-2', 'POST N-1', 'POST N-2', 'POST N-3']);
    assert.ok(written.filter((l) => l.method === 'POST').every((l) => boxesOf(l).length));
    const refused = lines.filter((l) => l.route === 'refused');
    const tally = (address) => refused.filter((l) => ofQuery(l).get('address') === address);
    const count = (address, key) => tally(address).reduce((all, l) => all + Number(ofQuery(l).get(key)), 0);
    assert.deepEqual([count('127.0.0.1', 'tried'), count('127.0.0.1', 'braked')], [130, codes[429]]);
    assert.deepEqual(['198.51.100.2', '198.51.100.3', '198.51.100.4'].map((address) => count(address, 'tried')), [1, 1, 1]);
    assert.equal(tally('198.51.100.3')[0].token, id('ended'));
    assert.ok(refused.length <= 6 + 3 && !stdout.includes('xxxx'), `${dir}`);
});

test('lines of several servers are in order of time', async (t) => {
    const { city } = await makeSynthetic(t, 0.001);
    const admin = await token(city, 'admin'), one = await serve(t, city), other = await serve(t, city, '--read-only');
    const asked = [];
    // Whichever of their files comes first, it cannot be told first as a whole.
    for (const [i, server] of [one, other, one, other].entries()) {
        const target = `/collections/hazard/items?limit=${i + 1}`;
        assert.equal((await askAs(server.url, admin)(target)).status, 200);
        asked.push(target);
        const after = Date.now();
        while (Date.now() < after + 3) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await one.stop();
    await other.stop();
    const { stdout, status } = await onemap('audit', city);
    const lines = stdout.trim().split('\n').map((line) => JSON.parse(line));
    assert.equal(status, 0);
    assert.deepEqual(lines.map((line) => line.target), asked);
    assert.deepEqual(lines.map((line) => line.at), lines.map((line) => line.at).sort());
});
