// A server that is killed, again and again, while it is written to.
//
// Plan
//   kill -9 at any moment (writing, compacting, trimming, starting): what was
//   acknowledged is there, no other write is half there, what had no answer is
//   done once when it is asked again under its key, numbers never go back,
//   verify is clean
//   a backup under load is a city of one moment, with all that was
//   acknowledged before it
//   a log that was cut off, a bit that is another: what is there is served,
//   what is missing is said, and nothing is written on top
//
// Two cities at a time, since half of a round is waiting.
//
// ONEMAP_LONG (make test-long): 1,000 rounds instead of 50, with a line every 25
// rounds. In parts, or on from where it was stopped: make test-long T=kill
// ONEMAP_KILL_ROUNDS=250 ONEMAP_SEED=2, another seed for each part.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import test from 'node:test';

import { ask as askFor, LINES, MERGE } from './ask.mjs';
import { done, onemap, PROGRAM, random } from './onemap.mjs';
import { makeCity, SOUTH, STEP, WEST } from './sample.mjs';
import { untilWithin } from './until.mjs';

const ROUNDS = Number(process.env.ONEMAP_KILL_ROUNDS ?? (process.env.ONEMAP_LONG ? 1000 : 50));
const CITIES = 2, CLIENTS = 6, BATCH = 120, BATCHES = 12, SINGLES = 150;
const BULK = 4200, BULKS = 2;  // rows that are made ready and written ahead
const COMPACT = 700;  // rows after which a layer is compacted
const SAY = process.env.ONEMAP_LONG || process.env.ONEMAP_PROGRESS ? 25 : Infinity;
const until = untilWithin(120e3), sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Ask; `status` 0: no answer came, so nobody knows. */
const ask = (url, how) => askFor(url, how).catch(() => ({ status: 0 }));

/** `onemap serve`, without the care that tests else take of it. */
async function start(city, config) {
    const child = spawn(PROGRAM, ['serve', city, '--listen', '127.0.0.1:0', '--config', config], { stdio: ['ignore', 'pipe', 'pipe'] });
    const from = performance.now();
    let said = '';
    child.stderr.on('data', (bytes) => { said += bytes; });
    const exited = once(child, 'exit');
    const url = await new Promise((resolve, reject) => {
        let text = '';
        child.stdout.on('data', (bytes) => {
            text += bytes;
            const found = /(http:\/\/127\.0\.0\.1:\d+)\//.exec(text);
            if (found) resolve(found[1]);
        });
        exited.then(([code, signal]) => reject(new Error(`serve ended with ${code ?? signal}: ${said}`)));
    });
    return { url, child, ms: performance.now() - from, said: () => said,
        async kill(signal = 'SIGKILL') {
            child.kill(signal);
            return (await exited)[0];
        } };
}

/* What one client has written: weight by id. Its ids are its own, so that what
 * the city must hold follows from its answers alone. */
class Client {
    constructor(number) {
        this.name = `K${number}-`;
        this.next = random(number * 7 + 1);
        this.rows = new Map();
        this.pending = null;  // an operation without an answer
        this.count = 0;
        this.sequence = 0;
        this.taken = 0;
        this.takenRows = 0;
        this.bulky = number === CLIENTS - 1;
        this.agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    }

    feature(id, weight) {
        return { type: 'Feature', id, geometry: { type: 'Point', coordinates: [WEST + this.next() * 4 * STEP, SOUTH + this.next() * 4 * STEP] },
            properties: { kind: 'shop', weight, at: '2023-04-01T12:00:00+08:00' } };
    }

    /** Something to do: a request, and what the rows are when it is done. */
    choose() {
        const n = ++this.count, at = '/collections/place/items';
        const key = { 'Idempotency-Key': `${this.name}${n}` }, roll = this.next();
        const id = `${this.name}s${Math.floor(this.next() * SINGLES)}`, one = `${at}/${id}`, there = this.rows.has(id);
        if (roll < 0.25) {
            const bulk = this.bulky && roll < 0.15, batch = Math.floor(this.next() * (bulk ? BULKS : BATCHES));
            const ids = Array.from({ length: bulk ? BULK : BATCH }, (_, i) => `${this.name}${bulk ? 'B' : 'b'}${batch}-${i}`);
            return { rows: ids.length, method: 'POST', target: `${at}?upsert=true`, type: LINES, headers: key,
                body: ids.map((x) => JSON.stringify(this.feature(x, n))).join('\n') + '\n', change: (rows) => ids.forEach((x) => rows.set(x, n)) };
        }
        if (!there)
            return roll < 0.6
                ? { method: 'POST', target: at, headers: key, body: this.feature(id, n), change: (rows) => rows.set(id, n) }
                : { method: 'PUT', target: one, headers: key, body: this.feature(id, n), change: (rows) => rows.set(id, n) };
        if (roll < 0.45) return { method: 'DELETE', target: one, headers: key, change: (rows) => rows.delete(id) };
        if (roll < 0.7) return { method: 'PUT', target: one, headers: key, body: this.feature(id, n), change: (rows) => rows.set(id, n) };
        return { method: 'PATCH', target: one, type: MERGE, headers: key, body: { properties: { weight: n } },
            change: (rows) => rows.set(id, n) };
    }

    note(what, answer) {
        assert.ok(answer.status >= 200 && answer.status < 300, `${what.method} ${what.target}: ${answer.status} ${answer.body}`);
        what.change(this.rows);
        this.taken++;
        this.takenRows += what.rows ?? 1;
        const sequence = Number(answer.headers['data-sequence']);
        assert.ok(sequence >= this.sequence, `sequence ${sequence} after ${this.sequence}`);
        this.sequence = sequence;
    }

    /** Write until the server is gone. */
    async run(url, stop) {
        while (!stop.now) {
            const what = this.choose(), answer = await ask(url + what.target, { ...what, agent: this.agent });
            if (answer.status === 0) {
                this.pending = what;
                return;
            }
            this.note(what, answer);
        }
    }

    /** After a death: all that was acknowledged, the rest whole or not at all;
     *  and what had no answer is done once when it is asked again. */
    async check(url, seen, where) {
        const after = new Map(this.rows);
        if (this.pending) this.pending.change(after);
        const before = differs(this.rows, seen);
        if (before) assert.ok(this.pending && !differs(after, seen), `${where}, ${this.name}: ${before}${this.pending ? `; or ${differs(after, seen)}` : ''}`);
        if (!this.pending) return;
        const what = this.pending, answer = await ask(url + what.target, { ...what, agent: this.agent });
        this.pending = null;
        // Every operation leaves a weight that was never there before.
        assert.equal(answer.headers?.['idempotency-replayed'] !== undefined, before !== null,
            `${where}: ${what.method} ${what.target} was ${before ? '' : 'not '}there: ${answer.status} ${answer.body}`);
        this.note(what, answer);
    }
}

/** What the city has of each client: weight by id. */
async function seenBy(clients, url) {
    const answer = await ask(`${url}/collections/place/items?limit=100000&properties=weight&filter=${encodeURIComponent("id LIKE 'K%'")}`);
    assert.equal(answer.status, 200, `${answer.body}`);
    const all = new Map(clients.map((c) => [c.name, new Map()]));
    for (const f of answer.json().features) all.get(f.id.slice(0, f.id.indexOf('-') + 1)).set(f.id, f.properties.weight);
    return clients.map((c) => all.get(c.name));
}

/** All of them, before and after what had no answer is asked again. */
async function checkAll(clients, url, where) {
    const seen = await seenBy(clients, url), asked = clients.some((c) => c.pending);
    await Promise.all(clients.map((c, i) => c.check(url, seen[i], where)));
    if (!asked) return;
    (await seenBy(clients, url)).forEach((now, i) => assert.equal(differs(clients[i].rows, now), null, where));
}

/** The first difference, or null. */
function differs(expected, seen) {
    for (const [id, weight] of expected)
        if (seen.get(id) !== weight) return `${id} is ${seen.get(id)}, not ${weight}`;
    for (const id of seen.keys())
        if (!expected.has(id)) return `${id} is there`;
    return null;
}

/** A server that compacts and trims all the time. */
async function prepare(t) {
    const { dir, city } = await makeCity(t), config = path.join(dir, 'serve.json');
    await writeFile(config, JSON.stringify({ client_writes_per_s: 1e6, writes_per_s: 1e6, compact_rows: COMPACT, journal_rows: 3000 }));
    return { dir, city, config, rounds: 0, clients: Array.from({ length: CLIENTS }, (_, i) => new Client(i)) };
}

/** The newest entry of the journal that is in the layer's own file. */
const applied = async (city) => JSON.parse(await readFile(path.join(city, 'city.json'), 'utf8')).layers.find((l) => l.name === 'place').applied ?? 0;

/** One round: killed under load, looked at, and asked again. The slower of the
 *  two starts, in ms. */
async function killOnce(t, place, round) {
    const { dir, city, config, clients, next } = place, compacted = place.rounds++ % 5 === 4 ? await applied(city) : -1;
    const server = await start(city, config), where = `round ${round}`;
    t.after(() => server.kill());
    const stop = { now: false }, load = Promise.all(clients.map((c) => c.run(server.url, stop)));
    // An import beside it now and then, and as long a run as two compactions take.
    const beside = round % 10 === 4 ? onemap('import', city, 'road', path.join(dir, 'roads.geojson'), '--id', 'id', '--replace', '--quiet') : null;
    if (compacted >= 0) await until('compacted under load', async () => await applied(city) >= compacted + 2 * COMPACT);
    await sleep(next() * next() * 900);
    await server.kill();
    await load;
    if (beside) await beside;
    // Now and then it dies while it starts, too.
    for (let again = round % 4 === 1 ? 3 : 0; again > 0; again--) {
        const child = spawn(PROGRAM, ['serve', city, '--listen', '127.0.0.1:0', '--config', config], { stdio: 'ignore' });
        const gone = once(child, 'exit');
        await sleep(next() * 60);
        child.kill('SIGKILL');
        await gone;
    }
    const verified = await onemap('verify', city);
    assert.equal(verified.status, 0, `${where}: ${verified.stdout}${verified.stderr}`);
    const back = await start(city, config);
    t.after(() => back.kill());
    await checkAll(clients, back.url, where);
    const sequence = Number((await ask(`${back.url}/collections/place/items?limit=1`)).headers['data-sequence']);
    for (const client of clients) assert.ok(sequence >= client.sequence, where);
    // The next round begins after a death at rest, or a stop.
    if (round % 2) await back.kill();
    else assert.equal(await back.kill('SIGTERM'), 0, back.said());
    return Math.max(server.ms, back.ms);
}

test(`killed ${ROUNDS} times`, { timeout: 36000e3 }, async (t) => {
    const seed = Number(process.env.ONEMAP_SEED ?? 11), begun = performance.now();
    let slowest = 0, rounds = 0, asked = 0;
    const places = await Promise.all(Array.from({ length: CITIES }, () => prepare(t)));
    const sum = (of) => places.reduce((n, p) => p.clients.reduce((m, c) => m + c[of], n), 0);
    const said = () => `${rounds} of ${ROUNDS} rounds in ${Math.round((performance.now() - begun) / 1000)} s, seed ${seed}: ` +
        `${sum('taken')} writes with ${sum('takenRows')} rows acknowledged, 0 lost; slowest start ${Math.round(slowest)} ms`;
    await Promise.all(places.map(async (place, i) => {
        place.next = random(seed * CITIES + i);
        while (asked < ROUNDS) {
            slowest = Math.max(slowest, await killOnce(t, place, asked++));
            if (++rounds % SAY === 0) appendFileSync(process.env.ONEMAP_PROGRESS ?? '/dev/stderr', `${said()}\n`);
        }
    }));
    assert.ok(sum('taken') > ROUNDS * CLIENTS, `only ${sum('taken')} writes`);
    for (const { city, rounds: killed } of places)
        assert.ok(killed < 15 || await applied(city) > 3000, `compacted and trimmed in ${killed} rounds`);
    t.diagnostic(said());
});

test('a backup under load', { timeout: 600e3 }, async (t) => {
    const { dir, city, config, clients } = await prepare(t), server = await start(city, config);
    t.after(() => server.kill());
    const stop = { now: false }, load = Promise.all(clients.map((c) => c.run(server.url, stop)));
    for (let i = 0; i < 3; i++) {
        await sleep(300);
        const file = path.join(dir, `backup-${i}`), other = path.join(dir, `other-${i}`);
        const before = Math.max(...clients.map((c) => c.sequence));
        assert.match(await done('backup', city, file), /journal up to \d+/);
        assert.match(await done('restore', file, other), /journal up to \d+/);
        assert.equal((await onemap('restore', file, other)).status, 1);
        assert.equal((await onemap('backup', path.join(dir, 'nowhere'), file)).status, 1);
        assert.match(await done('verify', other), /all sound/);
        const copy = await start(other, config);
        t.after(() => copy.kill());
        const answer = await ask(`${copy.url}/collections/place/items?limit=1`);
        assert.ok(Number(answer.headers['data-sequence']) >= before, `${answer.headers['data-sequence']} >= ${before}`);
        // Batches are whole: all rows of one have one weight.
        const seen = await seenBy(clients, copy.url);
        for (const client of clients) {
            const batches = new Map();
            for (const [id, weight] of seen.shift()) {
                const batch = /b\d+(?=-)/i.exec(id)?.[0];
                if (batch) batches.set(batch, [...(batches.get(batch) ?? []), weight]);
            }
            for (const [batch, weights] of batches) assert.deepEqual(weights, Array(batch[0] === 'B' ? BULK : BATCH).fill(weights[0]), `batch ${batch}`);
        }
        assert.equal(await copy.kill('SIGTERM'), 0, copy.said());
    }
    for (const line of [['backup'], ['backup', city], ['restore', city], ['restore', 'a', 'b', 'c'], ['backup', '--fast', city, 'x']])
        assert.equal((await onemap(...line)).status, 2, line.join(' '));
    stop.now = true;
    await load;
    (await seenBy(clients, server.url)).forEach((seen, i) => assert.equal(differs(clients[i].rows, seen), null));
    assert.equal(await server.kill('SIGTERM'), 0, server.said());
});

test('what the disk has lost is said', { timeout: 300e3 }, async (t) => {
    const { city, config, clients: [client] } = await prepare(t), at = '/collections/place/items';
    const write = (url, id) => ask(url + at, { method: 'POST', body: client.feature(id, 1) });
    const server = await start(city, config), journal = path.join(city, 'journal.db');
    t.after(() => server.kill());
    for (let i = 0; i < 10; i++) assert.equal((await write(server.url, `A${i}`)).status, 201);
    await server.kill();

    // The log ends in the middle of the last group.
    const log = await readFile(`${journal}-wal`);
    await truncate(`${journal}-wal`, log.length - 100);
    const reads = await start(city, config);
    t.after(() => reads.kill());
    const seen = async (url, id) => (await ask(`${url}${at}/${id}`)).status;
    assert.equal(await seen(reads.url, 'A8'), 200);
    assert.equal(await seen(reads.url, 'A9'), 404);
    const refused = await write(reads.url, 'B');
    assert.equal(refused.status, 503);
    assert.match(refused.text(), /journal is damaged/);
    assert.match(reads.said(), /newest 1 writes that were acknowledged are missing/);
    const verified = await onemap('verify', city);
    assert.equal(verified.status, 1);
    assert.match(verified.stderr, /missing/);
    assert.equal((await onemap('backup', city, `${city}.backup`)).status, 1);
    assert.equal(await reads.kill('SIGTERM'), 0);

    // As the sentence says: on without them.
    await rm(path.join(city, 'journal.mark'));
    const goes = await start(city, config);
    t.after(() => goes.kill());
    assert.equal((await write(goes.url, 'A9')).status, 201);
    assert.equal(await goes.kill('SIGTERM'), 0);
    assert.equal((await onemap('verify', city)).status, 0);

    // A bit of an entry is another, wherever it stands: file and log.
    for (const name of [journal, `${journal}-wal`]) {
        const bytes = await readFile(name).catch(() => null);
        if (!bytes) continue;
        for (let i = bytes.indexOf('A5'); i >= 0; i = bytes.indexOf('A5', i)) bytes[i] ^= 1;
        await writeFile(name, bytes);
    }
    const flipped = await onemap('verify', city);
    assert.equal(flipped.status, 1);
    assert.match(flipped.stderr, /journal\.db: .*(entry \d+ is damaged|missing)/);
});
