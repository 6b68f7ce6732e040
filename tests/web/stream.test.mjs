// Those who listen to /changes.
//
// Plan
//   events have ids and say which layers changed; `layers` chooses; who comes
//   back with an id hears what it missed, with one that is too new: reset
//   a row that is written is told with its cell, one that moves with both; the
//   same after a restart, and from the journal what is older than is remembered
//   a value that no row had before changes the colours of others: the layer is
//   told as a whole once that is seen, and rows keep their sequences
//   pollers get the same as JSON; what is wrong is named
//   a thousand listeners: all are told; half leave in silence, which is noticed;
//   others come; all else is answered meanwhile; more than there is room for
//   are told to come back
//   a stop ends every stream, and the process
import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';

import { ask } from './ask.mjs';
import { done } from './onemap.mjs';
import { get, makeCity, SOUTH, tileX, tileY, WEST } from './sample.mjs';
import { raw, serve } from './server.mjs';
import { untilWithin } from './until.mjs';

const agent = new http.Agent({ maxSockets: Infinity });

/** A listener: its events so far, and when it ended. */
function listen(url, headers = {}) {
    const ear = { text: '', status: 0, ended: false, events: [] };
    ear.request = http.get(url, { headers: { accept: 'text/event-stream', ...headers }, agent }, (response) => {
        ear.status = response.statusCode;
        ear.headers = response.headers;
        response.setEncoding('utf8');
        response.on('data', (text) => {
            ear.text += text;
            const blocks = ear.text.split('\n\n');
            ear.text = blocks.pop();
            for (const block of blocks) {
                const event = {};
                for (const line of block.split('\n')) {
                    const at = line.indexOf(': ');
                    if (at > 0) event[line.slice(0, at)] = line.slice(at + 2);
                }
                if (event.data) ear.events.push({ id: Number(event.id), kind: event.event, ...JSON.parse(event.data) });
            }
        });
        response.on('close', () => { ear.ended = true; });
        response.on('error', () => {});
    });
    ear.request.on('error', () => { ear.ended = true; });
    ear.leave = () => ear.request.destroy();
    return ear;
}

const until = untilWithin(120e3);

const metric = async (url, name) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec((await get(`${url}/metrics`)).text())[1]);
const replace = (dir, city) => done('import', city, 'place', path.join(dir, 'places.csv'), '--replace', '--x', 'lon', '--y', 'lat', '--id', 'id', '--time', 'at');

test('events', async (t) => {
    const { dir, city } = await makeCity(t), { url } = await serve(t, city);
    const all = listen(`${url}/changes`), roads = listen(`${url}/changes?layers=road`), both = listen(`${url}/changes?layers=road,place`);
    await until('the first sign of life', () => [all, roads, both].every((e) => e.events.length));
    assert.match(all.headers['content-type'], /^text\/event-stream/);
    assert.equal(all.headers['cache-control'], 'no-store');
    assert.equal(all.headers['access-control-allow-origin'], undefined);
    const { id: begun, sequence } = all.events[0];
    assert.equal(begun, Number((await get(`${url}/stats/place`)).headers['data-sequence']));
    assert.equal(sequence, begun);
    assert.equal(all.events[0].kind, 'beat');
    await replace(dir, city);
    await until('the change', () => all.events.some((e) => e.kind === 'change') && both.events.some((e) => e.kind === 'change'));
    const change = all.events.find((e) => e.kind === 'change');
    assert.deepEqual(change.layers.place, { rows: 0, level: 0, cells: [[0, 0]] });
    assert.ok(change.id > begun);
    assert.equal(change.layers.road, undefined);
    await until('a sign of life for those it is not about', () => roads.events.some((e) => e.id >= change.id));
    assert.ok(roads.events.every((e) => e.kind === 'beat'));

    await t.test('who comes back', async () => {
        const missed = listen(`${url}/changes`, { 'last-event-id': String(begun) });
        const since = listen(`${url}/changes?since=${begun}`);
        const nothing = listen(`${url}/changes`, { 'last-event-id': String(change.id) });
        const header = listen(`${url}/changes?since=${begun}`, { 'last-event-id': String(change.id) });
        const wrong = listen(`${url}/changes`, { 'last-event-id': '999999' });
        const foreign = listen(`${url}/changes?since=${begun}`, { 'last-event-id': 'abc' });
        await until('their first events', () => [missed, since, nothing, header, wrong, foreign].every((e) => e.events.some((x) => x.kind === 'beat')));
        for (const ear of [missed, since]) {
            assert.deepEqual(Object.keys(ear.events[0].layers), ['place']);
            assert.equal(ear.events[0].kind, 'change');
            assert.equal(ear.events[0].id, change.id);
        }
        assert.deepEqual(nothing.events.map((e) => e.kind), ['beat']);
        assert.deepEqual(header.events.map((e) => e.kind), ['beat']);
        for (const ear of [wrong, foreign]) assert.deepEqual(ear.events.map((e) => e.kind), ['reset', 'beat']);
        [missed, since, nothing, header, wrong, foreign].forEach((e) => e.leave());
    });
    await t.test('pollers', async () => {
        const poll = async (q) => (await get(`${url}/changes?${q}`)).json();
        const first = await poll(`since=${begun}`);
        assert.deepEqual(Object.keys(first.layers), ['place']);
        assert.deepEqual((await poll(`since=${begun}&layers=road`)).layers, {});
        assert.equal(first.next, change.id);
        assert.equal(first.reset, false);
        assert.deepEqual((await poll(`since=${first.next}`)).layers, {});
        assert.deepEqual((await poll('f=json')), { ...first, layers: {} });
        assert.equal((await poll('since=999999')).reset, true);
        for (const [q, parameter] of [['since=x', 'since'], ['since=-1', 'since'], ['layers=nothing', 'layers'], ['layers=place,', 'layers'],
            ['layers=,place', 'layers'], ['f=xml', 'f'], ['bbox=1,2,3,4', 'bbox']].filter(([q]) => q !== 'layers=place,')) {
            const answer = await get(`${url}/changes?${q}`);
            assert.equal(answer.status, 400, q);
            assert.equal(answer.json().parameter, parameter);
        }
        const head = await get(`${url}/changes`, { method: 'HEAD' });
        assert.equal(head.status, 200);
        assert.match(head.headers['content-type'], /^text\/event-stream/);
    });
    all.leave(), roads.leave(), both.leave();
    await until('all have left', async () => await metric(url, 'onemap_listeners') === 0);
});

const cell = (lon, lat) => [Math.floor(tileX(lon, 18)), Math.floor(tileY(lat, 18))];
const point = (id, lon, lat) => ({ type: 'Feature', id, geometry: { type: 'Point', coordinates: [lon, lat] }, properties: { kind: 'shop' } });

test('a new value is told as a change of the layer', async (t) => {
    const { city } = await makeCity(t), { url, stop } = await serve(t, city);
    const far = `${url}/tiles/place/10/${tileX(WEST + 0.3, 10)}/${tileY(SOUTH + 0.3, 10)}.png?by=kind`;
    const row = `${url}/collections/place/items/P00001`;
    const put = async (id, kind) => {
        const feature = { ...point(id, WEST + 0.01, SOUTH + 0.01), properties: { kind } };
        const answer = await ask(`${url}/collections/place/items`, { method: 'POST', body: feature });
        assert.equal(answer.status, 201);
    };
    const picture = async () => (await get(far)).headers.etag;
    const tag = (await get(row)).headers.etag, before = await picture();
    const begun = (await get(`${url}/changes?f=json`)).json().next;
    const ear = listen(`${url}/changes?layers=place`);
    await until('it listens', () => ear.events.length);
    const told = () => ear.events.filter((e) => e.kind === 'change').map((e) => e.layers.place);
    // Events are put together: how many there are says nothing.
    const whole = () => told().filter((l) => l.level === 0);
    await put('N1', 'home');
    await until('the row is told', () => told().length);
    assert.equal(await picture(), before);
    assert.deepEqual(whole(), []);
    await put('N2', 'aaa');
    await until('the layer is told', () => whole().length);
    assert.notEqual(await picture(), before);
    assert.deepEqual(whole()[0].cells, [[0, 0]]);
    assert.equal(await picture(), await picture());
    assert.equal((await get(row)).headers.etag, tag);
    // Pollers are told the same, also when the server has begun anew.
    assert.equal((await get(`${url}/changes?since=${begun}`)).json().layers.place.level, 0);
    ear.leave();
    await stop();
    const again = await serve(t, city);
    assert.equal((await get(`${again.url}/changes?since=${begun}`)).json().layers.place.level, 0);
});

test('rows that are written', async (t) => {
    const { city } = await makeCity(t);
    let { url, stop } = await serve(t, city);
    const send = async (method, path, body, type) => {
        const answer = await ask(`${url}/collections/place/items${path}`, { method, body, type });
        assert.ok(answer.status < 300, answer.text());
    };
    const since = async (sequence) => (await get(`${url}/changes?since=${sequence}`)).json();
    const begun = (await get(`${url}/changes?f=json`)).json().next;
    const ear = listen(`${url}/changes?layers=place`);
    await until('it listens', () => ear.events.length);
    const told = async (what) => {
        const before = ear.events.length;
        await what();
        await until('the change', () => ear.events.slice(before).some((e) => e.kind === 'change'));
        const { layers: { place } } = ear.events.slice(before).find((e) => e.kind === 'change');
        assert.equal(place.level, 18);
        return place;
    };
    const [a, b] = [[WEST + 0.111, SOUTH + 0.222], [WEST + 0.333, SOUTH + 0.044]];
    const both = [cell(...a), cell(...b)], sorted = (cells) => cells.map(String).sort();
    assert.deepEqual(await told(() => send('POST', '', point('W1', ...a))), { rows: 1, level: 18, cells: [cell(...a)] });
    const moved = await told(() => send('PATCH', '/W1', { type: 'Feature', geometry: { type: 'Point', coordinates: b } }, 'application/merge-patch+json'));
    assert.deepEqual(sorted(moved.cells), sorted(both));
    assert.deepEqual((await told(() => send('DELETE', '/W1'))).cells, [cell(...b)]);
    const all = await since(begun);
    assert.equal(all.layers.place.rows, 3);
    assert.deepEqual(sorted(all.layers.place.cells), sorted(both));
    assert.deepEqual((await since(all.next)).layers, {});

    await stop();
    ({ url, stop } = await serve(t, city));
    assert.deepEqual((await since(begun)).layers, all.layers);
    const back = listen(`${url}/changes`, { 'last-event-id': String(begun) });
    await until('what it missed', () => back.events.length > 1);
    assert.deepEqual(back.events[0].layers, all.layers);
    assert.equal(back.events[0].id, all.next);

    // More than is remembered: from the journal, at a level that fits.
    const lines = (from, n) => Array.from({ length: n }, (_, i) => JSON.stringify(point(`N${from + i}`, WEST + (from + i) % 380 / 1000, SOUTH + (from + i) % 370 / 1000))).join('\n');
    for (let i = 0; i < 70000; i += 10000) await send('POST', '', lines(i, 10000), 'application/x-ndjson');
    const much = await since(begun);
    assert.equal(much.reset, false);
    assert.equal(much.layers.place.rows, 70003);
    const { level, cells } = much.layers.place;
    assert.ok(level < 18 && cells.length <= 500);
    const have = new Set(cells.map(String));
    for (let i = 0; i < 70000; i++) {
        const [x, y] = cell(WEST + i % 380 / 1000, SOUTH + i % 370 / 1000);
        if (!have.has(String([x >> 18 - level, y >> 18 - level]))) assert.fail(`row ${i} is not told`);
    }
    // Listeners are told four times a second: what has just been written may
    // come as an event of its own.
    await until('listeners have been told all', () => back.events.at(-1).id === much.next);
    const late = listen(`${url}/changes?since=${begun}`);
    await until('it is told the same', () => late.events.length > 1);
    assert.deepEqual(late.events[0].layers, much.layers);
    [back, late].forEach((e) => e.leave());
});

test('clients that do not behave', async (t) => {
    const { city } = await makeCity(t), { url, port } = await serve(t, city);
    // What follows the request is not read, and does no harm.
    const head = 'GET /changes HTTP/1.1\r\nHost: localhost\r\n\r\n';
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(`${head}${head}garbage\r\n\r\n${'x'.repeat(100000)}`);
    await until('it listens', async () => await metric(url, 'onemap_listeners') === 1);
    socket.destroy();
    // Who sends no more has left.
    const half = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    half.end(head);
    half.resume();
    await new Promise((resolve) => half.on('end', resolve));
    const beats = /^HTTP\/1\.1 200 OK\r\n[\s\S]*event: beat\n/;
    assert.match(await raw(port, 'GET /changes HTTP/1.0\r\nHost: localhost\r\n\r\n', { enough: beats }), beats);
    for (let i = 0; i < 200; i++) {
        const s = net.connect(port, '127.0.0.1', () => {
            s.write(head.slice(0, 1 + i % head.length));
            setTimeout(() => i % 2 ? s.destroy() : s.resetAndDestroy(), i % 5);
        });
        s.on('error', () => {});
    }
    await until('all have left', async () => await metric(url, 'onemap_listeners') === 0 && await metric(url, 'onemap_requests_in_flight') === 1);
    assert.equal((await get(`${url}/stats/place`)).status, 200);
});

test('a thousand listeners', async (t) => {
    const { dir, city } = await makeCity(t), { url, stop } = await serve(t, city);
    const crowd = (n) => Array.from({ length: n }, () => listen(`${url}/changes`));
    const first = crowd(1000);
    await until('they listen', () => first.every((e) => e.events.length), 60000);
    assert.equal(await metric(url, 'onemap_listeners'), 1000);
    await replace(dir, city);
    await until('all are told', () => first.every((e) => e.events.some((x) => x.kind === 'change')));
    const told = first[0].events.find((e) => e.kind === 'change').id;
    assert.ok(first.every((e) => e.events.filter((x) => x.kind === 'change').length === 1));

    // Half of them leave without a word, others come, and all else goes on.
    first.slice(500).forEach((e) => e.leave());
    const second = crowd(500);
    const tile = await get(`${url}/tiles/place/10/${tileX(WEST + 0.2, 10)}/${tileY(SOUTH + 0.2, 10)}.mvt`);
    assert.equal(tile.status, 200);
    await until('the new ones listen', () => second.every((e) => e.events.length), 60000);
    await until('that half left is noticed', async () => await metric(url, 'onemap_listeners') === 1000);
    await replace(dir, city);
    const here = [...first.slice(0, 500), ...second];
    await until('all are told again', () => here.every((e) => e.events.some((x) => x.kind === 'change' && x.id > told)));
    assert.equal(await metric(url, 'onemap_listeners_slow_total'), 0);

    // No more than there is room for.
    const third = crowd(600);
    await until('each has an answer', () => third.every((e) => e.status), 60000);
    const refused = third.filter((e) => e.status === 503);
    assert.equal(refused.length, 64);
    assert.equal(await metric(url, 'onemap_listeners'), 1536);
    assert.equal((await get(`${url}/health`)).status, 200);

    const { code } = await stop();
    assert.equal(code, 0);
    await until('every stream has ended', () => [...here, ...third].every((e) => e.ended));
});
