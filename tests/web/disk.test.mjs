// A server on a real disk that is small, full, and then only read.
//
// Plan
//   a small file system of its own (in a mount namespace; without the right to
//   make one the test is skipped) is filled by writes: refused with the reason,
//   nothing half, reads go on; with room writes go on; killed there, all that
//   was acknowledged is there; only read, it is still served
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { ask, LINES } from './ask.mjs';
import { PROGRAM } from './onemap.mjs';
import { get, makeCity, SOUTH, WEST } from './sample.mjs';

const ROWS = 1000, NOTE = 'x'.repeat(300);
const allowed = spawnSync('unshare', ['-rm', 'sh', '-c', 'mount -t tmpfs tmpfs /tmp']).status === 0;

/** A file system of `size` at `dir`, seen by what `inside` runs. */
async function disk(t, dir, size) {
    await mkdir(dir);
    const child = spawn('unshare', ['-rm', 'sh', '-c', `mount -t tmpfs -o size=${size} tmpfs '${dir}' && echo there && exec sleep 600`], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    const words = (line) => ['-t', String(child.pid), '-m', '-U', '--preserve-credentials', ...line];
    return {
        run: (...line) => spawnSync('nsenter', words(line), { encoding: 'utf8' }),
        start: (...line) => spawn('nsenter', words(line), { stdio: ['ignore', 'pipe', 'pipe'] }),
    };
}

async function serve(t, inside, city) {
    const child = inside.start(PROGRAM, 'serve', city, '--listen', '127.0.0.1:0');
    let said = '';
    child.stderr.on('data', (bytes) => { said += bytes; });
    const exited = once(child, 'exit');
    t.after(() => child.kill('SIGKILL'));
    const url = await new Promise((resolve, reject) => {
        child.stdout.on('data', (bytes) => resolve(/(http:\S+)\//.exec(bytes)[1]));
        exited.then(([code]) => reject(new Error(`serve ended with ${code}: ${said}`)));
    });
    return { url, said: () => said, kill: async (signal) => { child.kill(signal); return (await exited)[0]; } };
}

/** A batch, and what is said to it. */
function write(url, batch) {
    const body = Array.from({ length: ROWS }, (_, i) => JSON.stringify({ type: 'Feature', id: `F${batch}-${i}`,
        geometry: { type: 'Point', coordinates: [WEST + 0.1, SOUTH + 0.1] }, properties: { weight: batch, note: NOTE } })).join('\n');
    return ask(`${url}/collections/place/items`, { method: 'POST', type: LINES, body });
}

async function counts(url, batches) {
    const answer = (await get(`${url}/stats/place?by=weight&filter=${encodeURIComponent("id LIKE 'F%'")}`)).json();
    const seen = new Map(answer.groups.filter((g) => g.count).map((g) => [Number(g.id), g.count]));
    assert.deepEqual([...seen].sort((a, b) => a[0] - b[0]), batches.map((b) => [b, ROWS]));
}

test('a disk that fills up, and is only read then', { skip: allowed ? false : 'no right to mount', timeout: 300e3 }, async (t) => {
    const { dir, city } = await makeCity(t), small = path.join(dir, 'small'), there = path.join(small, 'city');
    const inside = await disk(t, small, '14m');
    assert.equal(inside.run('cp', '-r', city, there).status, 0);
    const server = await serve(t, inside, there), taken = [];
    let batch = 0, refused = 0;
    for (; refused < 3; batch++) {
        assert.ok(batch < 100, 'never full');
        const answer = await write(server.url, batch);
        if (answer.status === 200) taken.push(batch);
        else {
            assert.equal(answer.status, 503, answer.text());
            assert.match(answer.json().detail, /disk/);
            refused++;
            await counts(server.url, taken);
        }
    }
    assert.ok(taken.length > 0);
    assert.match(server.said(), /disk is full/);
    assert.equal((await get(`${server.url}/ready`)).json().writable, false);

    // Room again: it is noticed, and writes go on.
    assert.equal(inside.run('mount', '-o', 'remount,size=64m', small).status, 0);
    for (let tries = 0; ; tries++) {
        assert.ok(tries < 100, 'never well again');
        const answer = await write(server.url, batch);
        if (answer.status === 200) break;
        await new Promise((resolve) => setTimeout(resolve, 200));
    }
    taken.push(batch++);
    await counts(server.url, taken);
    await server.kill('SIGKILL');
    const verified = inside.run(PROGRAM, 'verify', there);
    assert.equal(verified.status, 0, verified.stdout + verified.stderr);

    // Nothing can be written any more, a log that is not in the file included.
    assert.equal(inside.run('mount', '-o', 'remount,ro', small).status, 0);
    const reads = await serve(t, inside, there);
    await counts(reads.url, taken);
    const answer = await write(reads.url, batch);
    assert.equal(answer.status, 503);
    assert.match(answer.json().detail, /read-only/i);
    assert.equal(inside.run(PROGRAM, 'verify', there).status, 0);
    assert.equal(inside.run(PROGRAM, 'backup', there, path.join(dir, 'backup')).status, 0);
    assert.equal(await reads.kill('SIGTERM'), 0);
});
