// Rows written over HTTP where that is hard.
//
// Plan
//   who may: sites, methods, rates, other machines, servers that only read
//   a city that cannot be written, a disk that refuses for a while
//   bodies that are cut, dripped, chunked, huge, pipelined, given up
//   sixty-four writers: each answer is true in the next count, page and tile
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';

import { ask, GEOJSON } from './ask.mjs';
import { onemap, random } from './onemap.mjs';
import { makeCity, ROWS, run, SOUTH, tileX, tileY, WEST } from './sample.mjs';
import { raw, serve } from './server.mjs';
import { collection, countOf, feature, ITEMS, text, until } from './write_sample.mjs';

test('who may write, and how often', async (t) => {
    const { dir, city } = await makeCity(t), config = path.join(dir, 'serve.json');
    await writeFile(config, text({ writes_per_s: 1000, client_writes_per_s: 5 }));
    const server = await serve(t, city, '--config', config), { url } = server;
    const post = (id, headers = {}) => ask(`${url}${ITEMS}`, { method: 'POST', body: feature(id), headers });
    for (const headers of [{ Origin: 'https://elsewhere.example' }, { Origin: 'null' }, { Origin: `${url}.evil.example` }, { 'Sec-Fetch-Site': 'cross-site' }, { 'Sec-Fetch-Site': 'same-site' }])
        assert.equal((await post('S0', headers)).status, 403, text(headers));
    assert.equal((await post('S1', { Origin: url, 'Sec-Fetch-Site': 'same-origin' })).status, 201);
    const flight = await ask(`${url}${ITEMS}`, { method: 'OPTIONS', headers: { Origin: 'https://elsewhere.example', 'Access-Control-Request-Method': 'POST' } });
    assert.ok(!Object.keys(flight.headers).some((name) => name.startsWith('access-control-')));
    assert.equal(flight.headers.allow, 'GET, HEAD, POST, OPTIONS');
    // More than the burst: told when to come back, and then taken.
    const late = (await Promise.all(Array.from({ length: 50 }, (_, i) => post(`R${i}`)))).find((answer) => answer.status !== 201);
    assert.equal(late?.status, 429);
    assert.match(late.headers['retry-after'], /^[1-9]\d*$/);
    await new Promise((resolve) => setTimeout(resolve, 1000 * Number(late.headers['retry-after'])));
    assert.equal((await post('R-late')).status, 201);
    assert.equal((await ask(`${url}${ITEMS}?limit=1`)).status, 200);

    // One writes; a second says who, and one that only reads sees all of it.
    const second = await onemap('serve', city, '--listen', '127.0.0.1:0');
    assert.equal(second.status, 1);
    assert.match(second.stderr, new RegExp(`^onemap serve: .*process ${server.child.pid}\\b.*\\n$`));
    const reader = await serve(t, city, '--read-only');
    const ready = (await ask(`${reader.url}/ready`)).json();
    assert.deepEqual([ready.ready, ready.writable], [true, false]);
    assert.match(ready.reason, /only reads/);
    assert.equal((await ask(`${reader.url}${ITEMS}`, { method: 'POST', body: feature('RO') })).status, 403);
    await new Promise((resolve) => setTimeout(resolve, 400));
    const wanted = await countOf(url) + 1;
    assert.equal((await post('R-last')).status, 201);
    await until('the reader sees it', async () => await countOf(reader.url) === wanted);
    assert.deepEqual((await ask(`${url}/ready`)).json().writable, true);
    const figures = (await ask(`${url}/metrics`)).text();
    assert.match(figures, /\nonemap_writable 1\n/);
    assert.match(figures, /\nonemap_rows_written_total [1-9]/);
    assert.match(figures, /\nonemap_body_bytes 0\n/);
    // A token, where there is one, is what it takes.
    await server.stop();
    const token = path.join(dir, 'token');
    await writeFile(token, 'a-token-for-this-test\n');
    const guarded = await serve(t, city, '--in-charge-token-file', token);
    const body = feature('T1');
    assert.equal((await ask(`${guarded.url}${ITEMS}`, { method: 'POST', body })).status, 401);
    assert.equal((await ask(`${guarded.url}${ITEMS}`, { method: 'POST', body, headers: { authorization: 'Bearer a-token-for-this-test' } })).status, 201);
});

test('a name that is made to mean this machine does not write', async (t) => {
    const { dir, city } = await makeCity(t), plain = await serve(t, city);
    const put = async ({ port }, host, { more = '', target = `${ITEMS}/N1`, method = 'PUT', type = GEOJSON, body = text(feature('N1')) } = {}) => {
        const origin = `Origin: http://${host}\r\n`;
        const answer = await raw(port, Buffer.from(`${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n${/Origin/.test(more) ? '' : origin}${more}Connection: close\r\n` +
            `Content-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`).toString('latin1'));
        return { status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1]), answer };
    };
    const before = await countOf(plain.url);
    const names = (port) => [`evil.example:${port}`, 'evil.example', '127.0.0.1.evil.example', 'localhost.evil.example', '127.1', '2130706433', '192.0.2.1', '[2001:db8::1]', 'notlocalhost'];
    for (const host of names(plain.port)) {
        for (const method of ['PUT', 'PATCH', 'DELETE', 'POST']) {
            const { status, answer } = await put(plain, host, { method, target: method === 'POST' ? ITEMS : `${ITEMS}/P1`, ...(method === 'DELETE' ? { body: '' } : {}) });
            assert.equal(status, 403, `${method} ${host}: ${answer}`);
            assert.match(answer, /Host/, host);
        }
        assert.equal((await put(plain, host, { target: '/positions', method: 'POST' })).status, 403, `positions ${host}`);
        assert.match(await raw(plain.port, `GET /health HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`), /^HTTP\/1\.1 200 /, host);
    }
    assert.equal(await countOf(plain.url), before);
    for (const host of [`127.0.0.1:${plain.port}`, '127.0.0.1', '127.8.9.1', 'LocalHost', `localhost:${plain.port}`, '[::1]:80', '[0:0:0:0:0:0:0:1]'])
        assert.match(String((await put(plain, host)).status), /^20[014]$/, host);
    await plain.stop();
    // Behind a proxy all come from this machine: a token is what it takes, and our own pages or none.
    const at = path.join(dir, 'token-for-names');
    await writeFile(at, 'a-token-for-this-test\n');
    const named = await serve(t, city, '--url', 'https://map.example:8443', '--in-charge-token-file', at);
    const ours = 'Origin: https://map.example:8443\r\n', known = 'Authorization: Bearer a-token-for-this-test\r\n';
    assert.equal((await put(named, 'Map.example', { more: ours })).status, 401);
    assert.match(String((await put(named, 'Map.example', { more: known + ours })).status), /^20[014]$/);
    assert.equal((await put(named, 'Map.example', { more: `${known}Origin: https://evil.example\r\n` })).status, 403);
    await named.stop();
    // With a token any name will do; pages of other sites still do not.
    const guarded = await serve(t, city, '--in-charge-token-file', at), more = 'Authorization: Bearer a-token-for-this-test\r\n';
    assert.match(String((await put(guarded, 'map.example', { more })).status), /^20[014]$/);
    assert.equal((await put(guarded, 'map.example', { more: `${more}Origin: http://evil.example\r\n` })).status, 403);
    assert.ok([401, 403].includes((await put(guarded, 'evil.example')).status));
});

test('a city that cannot be written is read', async (t) => {
    const { city } = await makeCity(t);
    // A folder where the lock of the writer should be: it fails whoever asks.
    await mkdir(path.join(city, '.writer'));
    const { url } = await serve(t, city);
    const ready = await ask(`${url}/ready`);
    assert.equal(ready.status, 200);
    assert.deepEqual([ready.json().ready, ready.json().writable], [true, false]);
    assert.match(ready.json().reason, /can only be read/);
    assert.doesNotMatch(ready.text(), /tmp|writer/);
    const refused = await ask(`${url}${ITEMS}`, { method: 'POST', body: feature('X') });
    assert.equal(refused.status, 503);
    assert.match(refused.headers['retry-after'], /^\d+$/);
    assert.equal(await countOf(url), ROWS);
});

test('a disk that refuses, and takes again', async (t) => {
    const { city } = await makeCity(t), server = await serve(t, city), { url, child } = server;
    const limit = (bytes) => run('prlimit', ['--pid', String(child.pid), `--fsize=${bytes}:unlimited`]);
    const post = (id, headers = {}) => ask(`${url}${ITEMS}`, { method: 'POST', body: feature(id), headers });
    assert.equal((await post('D1')).status, 201);
    // No file of the server may grow beyond what the journal has already.
    await limit(8192);
    for (const id of ['D2', 'D3', 'D2']) {
        const answer = await post(id, { 'Idempotency-Key': id });
        assert.equal(answer.status, 503);
        assert.match(answer.headers['retry-after'], /^\d+$/);
        assert.doesNotMatch(answer.text(), new RegExp(city));
    }
    const ready = await ask(`${url}/ready`);
    assert.equal(ready.status, 503);
    assert.deepEqual([ready.json().ready, ready.json().writable], [false, false]);
    assert.equal(await countOf(url), ROWS + 1);
    assert.equal((await ask(`${url}${ITEMS}/D1`)).status, 200);
    await limit('unlimited');
    let answer;
    await until('there is room', async () => (answer = await post('D2', { 'Idempotency-Key': 'D2' })).status !== 503);
    assert.equal(answer.status, 201);
    assert.equal((await ask(`${url}/ready`)).status, 200);
    await server.stop();
    const again = await serve(t, city);
    for (const id of ['D1', 'D2']) assert.equal((await ask(`${again.url}${ITEMS}/${id}`)).status, 200, id);
});

test('bodies as nobody should send them', async (t) => {
    const { city } = await makeCity(t), { url, port } = await serve(t, city);
    const before = await countOf(url), body = text(feature('H1'));
    const head = (more, method = 'POST', target = ITEMS) => `${method} ${target} HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${GEOJSON}\r\n${more}\r\n`;
    const sized = (b) => head(`Content-Length: ${Buffer.byteLength(b)}\r\n`) + b;
    const send = (bytes, wait = 40) => new Promise((resolve) => {
        const socket = net.connect(port, '127.0.0.1', () => {
            socket.write(bytes);
            setTimeout(() => { socket.destroy(); resolve(); }, wait);
        });
        socket.on('error', () => {});
    });
    // Given up in the middle, at any byte; nothing comes of it.
    for (const at of [1, 10, body.length >> 1, body.length - 1]) await send(head(`Content-Length: ${body.length}\r\n`) + body.slice(0, at));
    await send(head('Transfer-Encoding: chunked\r\n') + `${body.length.toString(16)}\r\n${body}\r\n`);
    await send(head('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n') + '0\r\n\r\n');
    await send(head('Content-Length: -1\r\n') + body);
    await send(head('Content-Length: 18446744073709551617\r\n') + body);
    assert.equal(await countOf(url), before);
    // By chunks of one byte, and all of several requests at once.
    const drips = [...body].map((c) => `1\r\n${c}\r\n`).join('') + '0\r\n\r\n';
    assert.match(await raw(port, head('Transfer-Encoding: chunked\r\nConnection: close\r\n') + drips), /^HTTP\/1\.1 201 /);
    const last = `GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
    const three = await raw(port, sized(text(feature('H2'))) + sized(text(feature('H2'))) + `DELETE ${ITEMS}/H2 HTTP/1.1\r\nHost: localhost\r\n\r\n` + last, { waitMs: 8000 });
    assert.deepEqual([...three.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((m) => m[1]), ['201', '409', '204', '200']);
    // A refused body is read to its end: the connection lives on.
    const lives = await raw(port, head('Content-Length: 70000\r\n', 'POST', '/collections/square/items') + 'x'.repeat(70000) + last);
    assert.deepEqual([...lives.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((m) => m[1]), ['405', '200']);
    assert.match(await raw(port, head('Expect: 100-continue\r\nConnection: close\r\nContent-Length: 3\r\n') + '{}x'), /^HTTP\/1\.1 (100|400) /);
    // Clients that leave while their write waits: it is done or not, never half.
    const batch = (i) => text(collection(Array.from({ length: 50 }, (_, k) => feature(`G${i}-${k}`))));
    await Promise.all(Array.from({ length: 60 }, (_, i) => send(sized(batch(i)), i % 12)));
    await new Promise((resolve) => setTimeout(resolve, 300));
    const left = await countOf(url) - before - 1;
    assert.equal(left % 50, 0, `${left} rows`);
    const deep = `{"type":"Feature","id":"Z","geometry":${'['.repeat(200000)}`;
    assert.equal((await ask(`${url}${ITEMS}`, { method: 'POST', body: deep })).status, 400);
    assert.equal((await ask(`${url}/health`)).status, 200);
    assert.match((await ask(`${url}/metrics`)).text(), /\nonemap_body_bytes 0\n/);
});

test('sixty-four writers: each answer is true at once', async (t) => {
    const { city } = await makeCity(t), server = await serve(t, city), { url } = server;
    const before = await countOf(url), rows = new Map();
    const agent = new http.Agent({ keepAlive: true, maxSockets: 80 });
    t.after(() => agent.destroy());
    await Promise.all(Array.from({ length: 64 }, async (_, w) => {
        const next = random(w + 1);
        let latest = 0;
        for (let i = 0; i < 12; i++) {
            const id = `W${w}-${i % 5}`, lon = WEST + 0.4 * next(), lat = SOUTH + 0.4 * next();
            const there = rows.get(id), how = there ? ['PUT', 'PATCH', 'DELETE'][Math.floor(3 * next())] : 'POST';
            const f = feature(id, { lon, lat, weight: i });
            const answer = await ask(`${url}${ITEMS}${how === 'POST' ? '' : `/${id}`}`, { method: how, agent, ...(how === 'DELETE' ? {} : { body: f }) });
            assert.ok([200, 201, 204].includes(answer.status), `${how} ${id}: ${answer.status} ${answer.body}`);
            // Sequences rise for everybody who looks.
            const sequence = Number(answer.headers['data-sequence']);
            assert.ok(sequence > latest);
            latest = sequence;
            if (how === 'DELETE') rows.delete(id); else rows.set(id, { lon, lat, weight: i });
            const seen = await ask(`${url}${ITEMS}/${id}`, { agent });
            assert.equal(seen.status, how === 'DELETE' ? 404 : 200, `${how} ${id}`);
            if (how !== 'DELETE') assert.deepEqual([seen.json().properties.weight, seen.headers.etag], [i, `"${sequence}"`]);
            const counted = await ask(`${url}${ITEMS}?limit=1&filter=${encodeURIComponent(`id = '${id}'`)}`, { agent });
            assert.equal(counted.json().numberMatched, how === 'DELETE' ? 0 : 1);
            const tile = await ask(`${url}/tiles/place/20/${tileX(lon, 20)}/${tileY(lat, 20)}.mvt`, { agent });
            assert.equal(tile.body.includes(id), how !== 'DELETE', `tile of ${id} after ${how}`);
        }
    }));
    assert.equal(await countOf(url), before + rows.size);
    await server.stop();
    const again = await serve(t, city);
    assert.equal(await countOf(again.url), before + rows.size);
    const page = (await ask(`${again.url}${ITEMS}?limit=1000&filter=${encodeURIComponent("id LIKE 'W%'")}`)).json();
    assert.equal(page.features.length, rows.size);
    for (const f of page.features) assert.equal(f.properties.weight, rows.get(f.id).weight);
});
