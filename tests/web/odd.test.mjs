// Odd situations of a city that is written to: what may happen to its folder,
// its disk and its clock while it is served.
//
// Plan
//   an older city, without what the journal brought, is served and written to
//   a newer city, or a newer journal, is refused by every verb, by its version
//   a clock that jumps forth and back: rows are acknowledged, streams live
//   a full disk: writes refused with a word, reads go on; room again: all well,
//   without a restart, and what was acknowledged is there
//   a folder that cannot be written: all that was acknowledged is read
//   a flipped bit: other layers are served, a word says where, and no
//   compaction makes it sound
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';

import { ask, LINES } from './ask.mjs';
import { done, folder, onemap, PROGRAM } from './onemap.mjs';
import { get, makeCity, ROWS, SOUTH, tileX, tileY, WEST } from './sample.mjs';
import { serve } from './server.mjs';
import { countOf, feature, ITEMS, until } from './write_sample.mjs';

const run = promisify(execFile);
const post = (url, id, headers) => ask(`${url}${ITEMS}`, { method: 'POST', body: feature(id), headers });
const batch = (url, ids) => ask(`${url}${ITEMS}`, { method: 'POST', type: LINES, body: ids.map((id) => JSON.stringify(feature(id))).join('\n') });

/** A server started in another way than by tests/web/server.mjs: its url. */
async function started(t, command, args, env = {}) {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    let out = '', said = '';
    child.stdout.on('data', (bytes) => { out += bytes; });
    child.stderr.on('data', (bytes) => { said += bytes; });
    const ended = once(child, 'exit');
    t.after(() => { child.kill('SIGKILL'); return ended; });
    await until(`a server: ${said}`, () => out.includes('\n') || child.exitCode !== null);
    assert.equal(child.exitCode, null, said);
    return { url: /http:\/\/[^/\s]+/.exec(out)[0], child, ended, said: () => said };
}

/** Can this machine's user have a mount of its own? */
const mounts = await run('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).then(() => true, () => false);
const needsMount = { skip: mounts ? false : 'no mounts for this user (unshare -rm)' };

async function edit(city, change) {
    const file = path.join(city, 'city.json'), manifest = JSON.parse(await readFile(file, 'utf8'));
    change(manifest);
    await writeFile(file, JSON.stringify(manifest));
}

test('an older city is served and written to', async (t) => {
    const { city } = await makeCity(t);
    await edit(city, (m) => {
        delete m.id;
        for (const layer of m.layers) { delete layer.base_commit; delete layer.applied; }
        assert.equal(m.onemap, 1);
    });
    let server = await serve(t, city);
    const tag = (await get(`${server.url}/tiles/road/12/${tileX(113.7, 12)}/${tileY(22.9, 12)}.mvt`)).headers.etag;
    assert.ok(tag);
    for (let i = 0; i < 20; i++) assert.equal((await post(server.url, `old-${i}`)).status, 201);
    assert.equal(await countOf(server.url), ROWS + 20);
    await server.stop('SIGKILL');
    server = await serve(t, city);
    assert.equal(await countOf(server.url), ROWS + 20);
    assert.equal((await ask(`${server.url}${ITEMS}/old-3`, { method: 'DELETE' })).status, 204);
    await server.stop();
    await done('verify', city);
    assert.equal((await done('query', city, 'place', '--count')).trim(), String(ROWS + 19));
});

test('a newer city is refused by its version', async (t) => {
    const { dir, city } = await makeCity(t);
    const server = await serve(t, city);
    assert.equal((await post(server.url, 'new-1')).status, 201);
    await server.stop();
    const all = async (word) => {
        const files = await readdir(path.join(city, 'layers'));
        for (const args of [['serve', city, '--listen', '127.0.0.1:0'], ['serve', city, '--listen', '127.0.0.1:0', '--read-only'], ['query', city, 'place', '--count'], ['info', city], ['verify', city],
            ['import', city, 'road', path.join(dir, 'roads.geojson'), '--id', 'id', '--replace']]) {
            const refused = await onemap(...args);
            assert.equal(refused.status, 1, args.join(' '));
            assert.match(refused.stderr, word, args.join(' '));
        }
        // Nothing that it does not understand is taken for refuse.
        assert.deepEqual(await readdir(path.join(city, 'layers')), files);
    };
    const journal = path.join(city, 'journal.db'), kept = await readFile(journal), later = Buffer.from(kept);
    assert.equal(kept.readUInt32BE(60), 2);  // SQLite's user_version
    later.writeUInt32BE(9, 60);
    await writeFile(journal, later);
    await all(/journal\.db.*version/);
    await writeFile(journal, kept);
    await edit(city, (m) => { m.onemap = 99; });
    await all(/version 99/);
    const newer = await readFile(path.join(city, 'city.json'));
    await writeFile(path.join(city, 'city.json'), newer.subarray(0, newer.length / 2));
    await all(/JSON/);
    await writeFile(path.join(city, 'city.json'), newer);
    await edit(city, (m) => { m.onemap = 2; });
    assert.equal((await done('query', city, 'place', '--count')).trim(), String(ROWS + 1));
});

test('a clock that jumps', async (t) => {
    const { dir, city } = await makeCity(t), library = path.join(dir, 'jump.so'), file = path.join(dir, 'ahead');
    await run(process.env.CC ?? 'cc', ['-shared', '-fPIC', '-D_GNU_SOURCE', '-o', library, path.join(import.meta.dirname, 'jump.c'), '-ldl']);
    await writeFile(file, Buffer.alloc(8));
    const config = path.join(dir, 'serve.json');
    await writeFile(config, JSON.stringify({ writes_per_s: 1000, client_writes_per_s: 500 }));
    const jump = async (seconds) => {
        const handle = await open(file, 'r+'), bytes = Buffer.alloc(8);
        bytes.writeBigInt64LE(BigInt(seconds));
        await handle.write(bytes, 0, 8, 0);
        await handle.close();
    };
    const env = { LD_PRELOAD: library, JUMP_FILE: file }, args = ['serve', city, '--listen', '127.0.0.1:0', '--config', config];
    const server = await started(t, PROGRAM, args, env), { url } = server;
    let heard = '';
    const ear = http.get(`${url}/changes`, (response) => { response.setEncoding('utf8'); response.on('data', (text) => { heard += text; }); });
    ear.on('error', () => {});
    t.after(() => ear.destroy());
    const day = 86400;
    let n = 0, sequence = 0;
    for (const ahead of [0, 400 * day, -400 * day, 5, -20000 * day, 30000 * day, 0]) {
        await jump(ahead);
        heard = '';
        if (ahead < -10000 * day) { // by that clock no report has happened yet
            const refused = await post(url, `jump-${n}`);
            assert.equal(refused.status, 400);
            assert.match(refused.text(), /later than the city's clock, 19/);
            assert.equal(await countOf(url), ROWS + n);
            continue;
        }
        const answers = await Promise.all(Array.from({ length: 40 }, () => post(url, `jump-${n++}`)));
        for (const answer of answers) assert.equal(answer.status, 201, `${ahead} s: ${answer.text()}`);
        const newest = Math.max(...answers.map((a) => Number(a.headers['data-sequence'])));
        assert.ok(newest > sequence);
        sequence = newest;
        assert.equal(await countOf(url), ROWS + n);
        assert.equal((await get(`${url}/tiles/place/12/${tileX(WEST + 0.15, 12)}/${tileY(SOUTH + 0.15, 12)}.mvt`)).status, 200);
        assert.equal((await get(`${url}/ready`)).status, 200);
        await until(`the change is told, ${ahead} s ahead`, () => heard.includes(`id: ${sequence}\n`));
    }
    // Keys and heartbeats, too.
    const key = { 'idempotency-key': 'jump' };
    const first = await post(url, 'jump-key', key);
    assert.equal(first.status, 201);
    await jump(-3600);
    const again = await post(url, 'jump-key', key);
    assert.deepEqual([again.status, again.headers['idempotency-replayed']], [201, 'true'], again.text());
    heard = '';
    await until('a heartbeat', () => heard.includes('event: beat'));
    server.child.kill('SIGKILL');
    await server.ended;
    await jump(-10 * 365 * day);
    const back = await started(t, PROGRAM, args, env);
    assert.equal(await countOf(back.url), ROWS + n + 1);
    const early = await post(back.url, 'jump-last');
    assert.equal(early.status, 400);
    assert.match(early.text(), /later than the city's clock/);
    await jump(0);
    assert.equal((await post(back.url, 'jump-last')).status, 201);
    assert.equal(await countOf(back.url), ROWS + n + 2);
    back.child.kill('SIGTERM');
    assert.deepEqual(await back.ended, [0, null], back.said());
    await done('verify', city);
});

test('a full disk', needsMount, async (t) => {
    const { dir, city } = await makeCity(t), mount = path.join(dir, 'disk'), config = path.join(dir, 'serve.json');
    await writeFile(config, JSON.stringify({ compact_rows: 2000 }));
    const server = await started(t, 'unshare', ['-rm', 'sh', '-ec', 'mkdir "$1"; mount -t tmpfs -o size=40m tmpfs "$1"; cp -r "$2" "$1/city"; exec "$3" serve "$1/city" --listen 127.0.0.1:0 --config "$4"',
        'sh', mount, city, PROGRAM, config]), { url } = server;
    const inside = `/proc/${server.child.pid}/root${mount}`;
    let n = 0, all = 0;
    const write = async (rows) => {
        const ids = Array.from({ length: rows }, () => `full-${n++}`), answer = await batch(url, ids);
        if (answer.status === 200) all += rows;
        return answer;
    };
    assert.equal((await write(10)).status, 200);
    const tile = `${url}/tiles/place/12/${tileX(113.7, 12)}/${tileY(22.9, 12)}.mvt`;
    for (let round = 0; round < 2; round++) {
        const fill = await open(path.join(inside, 'fill'), 'w'), some = Buffer.alloc(1 << 16);
        let bytes = 0;
        for (;;) {
            const wrote = await fill.write(some).catch((error) => { assert.equal(error.code, 'ENOSPC'); return null; });
            if (!wrote) break;
            bytes += wrote.bytesWritten;
        }
        // Some room: rows fit, for a while, and the file of a compaction does not.
        await fill.truncate(bytes - (1 << 20));
        const refused = await until('the disk is full', async () => { const a = await write(300); return a.status !== 200 && a; });
        assert.ok([503, 507].includes(refused.status), refused.text());
        assert.match(refused.json().detail, /disk|full|room|space/i);
        assert.match(refused.headers['retry-after'] ?? '', /^\d+$/);
        assert.equal(await countOf(url), ROWS + all);
        assert.equal((await get(tile)).status, 200);
        assert.equal((await get(`${url}/stats/place?by=kind`)).status, 200);
        const full = (await get(`${url}/ready`)).json();
        await fill.truncate(0);
        await fill.close();
        await until('rows are taken again', async () => (await write(1)).status === 200);
        const ready = await until('the server is ready', async () => { const r = (await get(`${url}/ready`)).json(); return r.writable && r; });
        assert.equal(ready.ready, true, JSON.stringify(full));
        assert.equal(await countOf(url), ROWS + all);
    }
    // As a power cut would leave it.
    server.child.kill('SIGSTOP');
    const copy = path.join(dir, 'copy');
    await cp(path.join(inside, 'city'), copy, { recursive: true });
    server.child.kill('SIGKILL');
    assert.equal((await done('query', copy, 'place', '--count')).trim(), String(ROWS + all));
    await done('verify', copy);
});

test('a folder that cannot be written', needsMount, async (t) => {
    const { city } = await makeCity(t), writer = await serve(t, city);
    for (let i = 0; i < 5; i++) assert.equal((await post(writer.url, `ro-${i}`)).status, 201);
    // Killed: what was written is in the journal's log only.
    await writer.stop('SIGKILL');
    const server = await started(t, 'unshare', ['-rm', 'sh', '-ec', 'mount --bind "$1" "$1"; mount -o remount,bind,ro "$1"; exec "$2" serve "$1" --listen 127.0.0.1:0', 'sh', city, PROGRAM]), { url } = server;
    assert.equal(await countOf(url), ROWS + 5);
    assert.equal((await get(`${url}${ITEMS}/ro-4`)).status, 200);
    const ready = (await get(`${url}/ready`)).json();
    assert.deepEqual([ready.ready, ready.writable], [true, false]);
    assert.match(ready.reason, /read-only|cannot/i);
    const refused = await post(url, 'ro-new');
    assert.ok([403, 503].includes(refused.status), refused.text());
    assert.match(server.said(), /can only be read/);
});

test('a flipped bit', async (t) => {
    const { dir, city } = await makeCity(t), config = path.join(dir, 'serve.json');
    const layer = (await readdir(path.join(city, 'layers'))).find((f) => /^place.*\.seg$/.test(f)), file = path.join(city, 'layers', layer);
    const sound = await readFile(file);
    // A block of a column, in the middle of the file.
    const spoilt = Buffer.from(sound);
    spoilt[Math.floor(sound.length * 0.6)] ^= 4;
    await writeFile(file, spoilt);
    await writeFile(config, JSON.stringify({ compact_rows: 500 }));
    const server = await serve(t, city, '--config', config), { url } = server;
    const bad = await get(`${url}${ITEMS}?limit=5000`);
    assert.equal(bad.status, 500);
    assert.match(bad.json().detail, /damaged/);
    assert.equal((await get(`${url}/collections/road/items?limit=1`)).status, 200);
    assert.equal((await get(`${url}/tiles/road/12/${tileX(113.7, 12)}/${tileY(22.9, 12)}.mvt`)).status, 200);
    assert.deepEqual((await get(`${url}/ready`)).json().damaged, ['place']);
    // Rows go on top of it, and to files; the damage stays to be seen.
    for (let i = 0; i < 8; i++) assert.equal((await batch(url, Array.from({ length: 400 }, (_, j) => `flip-${i}-${j}`))).status, 200);
    await until('a compaction', async () => Number(/^onemap_compactions_total (\d+)/m.exec((await get(`${url}/metrics`)).text())[1]) > 0);
    assert.equal((await get(`${url}${ITEMS}?limit=5000`)).status, 500);
    assert.equal((await get(`${url}${ITEMS}/flip-3-3`)).status, 200);
    const { stderr } = await server.stop();
    assert.match(stderr, new RegExp(`error .*${layer}`));
    const verified = await onemap('verify', city);
    assert.equal(verified.status, 1);
    assert.match(verified.stdout + verified.stderr, new RegExp(layer.replace('.', '\\.')));
});
