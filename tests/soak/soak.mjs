// soak.mjs - a server under mixed load for a long time: does anything grow?
//
//   soak.mjs CITY [--minutes 60] [--rate 200] [--onemap build/onemap] [--seed 7]
//
// A copy of the city is served and, all at once: rows written one by one
// (`rate` requests a second: new, moved, changed, gone) and in batches; each
// counted, read back and listened for; tiles cached and cold, vector, heat and
// pictures; queries; listeners that come and go and come back; positions of
// workers where there are any; compactions every half minute or so; backups.
// Every ten seconds a line. In the end the server is killed (SIGKILL), started
// again, and every row that was acknowledged is looked for, as it was last
// acknowledged; `verify` goes over the files.
//
// Exit status 1 if any answer was not what it should be, a row is missing, or
// memory, descriptors, threads or latency grew from the first third (after the
// caches have filled) to the last. Latency counts from the moment at which a
// request was due. What the city offers is found out by asking; names of layers
// are looked for in its catalog.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

const { values: option, positionals } = parseArgs({ allowPositionals: true, options: {
    minutes: { type: 'string', default: '60' }, rate: { type: 'string', default: '200' },
    onemap: { type: 'string', default: 'build/onemap' }, seed: { type: 'string', default: '7' },
    compact: { type: 'string' }, layer: { type: 'string', default: 'hazard' },
} });
const MINUTES = Number(option.minutes), RATE = Number(option.rate), PROGRAM = path.resolve(option.onemap);
const CITY = positionals[0];
if (!CITY || !(MINUTES > 0) || !(RATE > 0)) {
    console.error('soak.mjs CITY [--minutes N] [--rate N] [--onemap PROGRAM] [--layer NAME]');
    process.exit(2);
}
const LINE_S = 10, MOST_UNDER_WAY = 64, ANSWER_MS = 30000;
/* A layer goes to a file every half minute; what it costs is then in each line. */
const COMPACT_ROWS = Number(option.compact ?? Math.max(1000, Math.round(RATE * 25)));
/* The journal reaches its bound in the first third of the run. */
const JOURNAL_ROWS = Math.max(5000, Math.round(RATE * MINUTES * 60 / 4));
const CACHE_MIB = 32;

/* What else the machine has to do stands beside each figure. */
const loads = () => os.loadavg().map((n) => n.toFixed(1)).join(' ');

let state = Number(option.seed) >>> 0;
const dice = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
const pick = (list) => list[Math.floor(dice() * list.length)];
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// ---- the server

let dir, city, server, base;
const children = new Set();
async function cleanUp() {
    for (const child of children) child.kill('SIGKILL');
    if (dir) await rm(dir, { recursive: true, force: true });
}
for (const signal of ['SIGINT', 'SIGTERM'])
    process.on(signal, async () => { await cleanUp(); process.exit(1); });

async function serve() {
    const child = spawn(PROGRAM, ['serve', city, '--listen', '127.0.0.1:0', '--config', path.join(dir, 'serve.json'),
        '--in-charge-token-file', path.join(dir, 'token')], { stdio: ['ignore', 'pipe', 'pipe'] });
    children.add(child);
    child.said = '';
    child.on('exit', (code, signal) => { children.delete(child); child.gone = signal ?? code; });
    child.stderr.on('data', (bytes) => {
        for (const line of bytes.toString().split('\n'))
            if (/ (warn|error) /i.test(` ${line} `) || /warn|error/i.test(line)) note(`log: ${line.slice(0, 300)}`);
        child.said = (child.said + bytes).slice(-4000);
    });
    let text = '';
    child.stdout.on('data', (bytes) => { text += bytes; });
    while (!text.includes('\n')) {
        if (child.gone !== undefined) throw new Error(`serve ended with ${child.gone}: ${child.said}`);
        await sleep(20);
    }
    base = new URL(/http:\S+/.exec(text)[0]);
    return child;
}

function command(...args) {
    return new Promise((resolve) => {
        const child = execFile('nice', ['-n', '10', PROGRAM, ...args], { maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
            children.delete(child);
            resolve({ status: error ? (error.code ?? 1) : 0, text: `${stdout}${stderr}`.trim() });
        });
        children.add(child);
    });
}

// ---- what is measured

const kinds = new Map();      // name -> {line: [ms], first: [ms], last: [ms], count}
const faults = new Map();     // text -> count
let errors = 0, late = 0, began = 0;
const skipped = { first: 0, last: 0 };  // requests that were due and not asked
const lines = [];

function note(what) {
    const known = faults.get(what) ?? 0;
    faults.set(what, known + 1);
    errors++;
    if (known < 3) console.log(`  ERROR ${what}`);
}
const third = () => {
    const done = (performance.now() - began) / (MINUTES * 60000);
    // The first tenth is for caches to fill.
    return done < 0.1 ? null : done < 0.4 ? 'first' : done >= 0.7 ? 'last' : null;
};
function measured(kind, ms) {
    let k = kinds.get(kind);
    if (!k) kinds.set(kind, k = { line: [], first: [], last: [], count: 0 });
    k.line.push(ms);
    k.count++;
    const t = third();
    if (t) k[t].push(ms);
}
const at = (sorted, share) => sorted.length ? sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] : NaN;
const sorted = (list) => Float64Array.from(list).sort();
const median = (list) => at(sorted(list), 0.5);

// ---- requests

/* Idle connections are given up before the server does: who writes into one that
 * it is closing is told nothing about it. */
const agent = new http.Agent({ keepAlive: true, maxSockets: 256, maxFreeSockets: 256, timeout: 4000 });
const TOKEN = 'soak-token-in-charge';

function ask(target, { method = 'GET', body, type = 'application/geo+json', headers = {} } = {}) {
    return new Promise((resolve, reject) => {
        const request = http.request({ host: base.hostname, port: base.port, path: target, method, agent, timeout: ANSWER_MS, headers: {
            authorization: `Bearer ${TOKEN}`,
            ...(body === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(body) }), ...headers } }, (response) => {
            const chunks = [];
            response.on('data', (c) => chunks.push(c));
            response.on('end', () => {
                const bytes = Buffer.concat(chunks);
                resolve({ status: response.statusCode, headers: response.headers, bytes, json: () => JSON.parse(bytes.toString('utf8')) });
            });
            response.on('error', reject);
        });
        request.on('timeout', () => request.destroy(new Error('no answer in 30 s')));
        request.on('error', reject);
        request.end(body);
    });
}
const seen = (answer) => `${answer.status} ${answer.bytes.toString('utf8', 0, 200).replaceAll('\n', ' ')}`;

/* Kinds of load: a rate each, whatever the answers do. A kind with too many
 * under way skips its turn, which is counted. */
let over = false;
const running = [];
function load(kind, perSecond, work) {
    running.push((async () => {
        const start = performance.now();
        let turn = 0;
        const underWay = new Set();
        while (!over) {
            const due = start + 1000 * turn / perSecond, now = performance.now();
            if (due > now + 1) { await sleep(Math.min(due - now, 200)); continue; }
            turn++;
            if (underWay.size >= MOST_UNDER_WAY) {
                late++;
                if (third()) skipped[third()]++;
                continue;
            }
            const one = (async () => {
                try {
                    const what = await work(due);
                    if (what !== false) measured(typeof what === 'string' ? what : kind, performance.now() - due);
                } catch (error) {
                    if (server.gone !== undefined) { note(`${kind}: the server ended with ${server.gone}: ${server.said.slice(-500)}`); over = true; }
                    else note(`${kind}: ${error.message}`);
                }
            })().finally(() => underWay.delete(one));
            underWay.add(one);
        }
        await Promise.all(underWay);
    })());
}
async function expect(target, statuses, how) {
    const answer = await ask(target, how);
    if (!statuses.includes(answer.status)) note(`${how?.method ?? 'GET'} ${target.replace(/\d{3,}|soak-\w+/g, 'N')}: ${seen(answer)}`);
    return answer;
}

// ---- rows and what was acknowledged of them

/* Of each row what the newest acknowledgement said; while one is under way no
 * other touches the row, so that there is one truth. */
const rows = [];   // {id, lon, lat, there, busy}
let sent = 0, acknowledged = 0, removalsSent = 0, removals = 0, newest = 0;
let templates, box, before;
const LAYER = option.layer, ITEMS = `/collections/${LAYER}/items`;

function place() {
    return [Number((box[0] + (box[2] - box[0]) * dice()).toFixed(6)), Number((box[1] + (box[3] - box[1]) * dice()).toFixed(6))];
}
function feature(id, lon, lat) {
    return { type: 'Feature', id, geometry: { type: 'Point', coordinates: [lon, lat] }, properties: pick(templates) };
}
function fresh() {
    const [lon, lat] = place(), row = { id: `soak-${rows.length.toString(36)}`, lon, lat, there: false, busy: true };
    rows.push(row);
    return row;
}
function known() {
    for (let i = 0; i < 20 && rows.length; i++) {
        const row = rows[Math.floor(dice() * rows.length)];
        if (row.there && !row.busy) { row.busy = true; return row; }
    }
    return null;
}
function took(answer) {
    newest = Math.max(newest, Number(answer.headers['data-sequence'] ?? 0));
    return Number(answer.headers['data-sequence'] ?? 0);
}

async function write() {
    const what = dice(), old = what < 0.5 ? null : known();
    const row = old ?? fresh(), url = `${ITEMS}/${row.id}`;
    try {
        if (!old) {
            sent++;
            const answer = await expect(ITEMS, [201], { method: 'POST', body: JSON.stringify(feature(row.id, row.lon, row.lat)) });
            if (answer.status !== 201) return false;
            acknowledged++;
            row.there = true;
            hear(took(answer));
            return 'insert';
        }
        if (what < 0.75) {
            const [lon, lat] = place();
            const answer = await expect(url, [200], { method: 'PUT', body: JSON.stringify(feature(row.id, lon, lat)) });
            if (answer.status !== 200) return false;
            [row.lon, row.lat] = [lon, lat];
            took(answer);
            return 'update';
        }
        if (what < 0.85) {
            const [lon, lat] = place();
            const answer = await expect(url, [200], { method: 'PATCH', type: 'application/merge-patch+json', body: JSON.stringify({ geometry: { type: 'Point', coordinates: [lon, lat] } }) });
            if (answer.status !== 200) return false;
            [row.lon, row.lat] = [lon, lat];
            took(answer);
            return 'update';
        }
        removalsSent++;
        const answer = await expect(url, [204], { method: 'DELETE' });
        if (answer.status !== 204) return false;
        row.there = false;
        removals++;
        took(answer);
        return 'remove';
    } finally {
        row.busy = false;
    }
}
async function batch() {
    const some = Array.from({ length: 100 + Math.floor(dice() * 400) }, fresh);
    sent += some.length;
    try {
        const answer = await expect(ITEMS, [200], { method: 'POST', type: 'application/x-ndjson', headers: { 'idempotency-key': `soak-${some[0].id}` },
            body: some.map((r) => JSON.stringify(feature(r.id, r.lon, r.lat))).join('\n') });
        if (answer.status !== 200) return false;
        if (answer.json().taken !== some.length) note(`batch of ${some.length}: taken ${answer.json().taken}`);
        acknowledged += some.length;
        for (const row of some) row.there = true;
        took(answer);
    } finally {
        for (const row of some) row.busy = false;
    }
}
/* What was acknowledged is seen by whoever asks afterwards. */
async function readBack() {
    const row = known();
    if (!row) return false;
    try {
        const answer = await expect(`${ITEMS}/${row.id}`, [200]);
        if (answer.status !== 200) return false;
        const [lon, lat] = answer.json().geometry.coordinates;
        if (Math.abs(lon - row.lon) > 1e-6 || Math.abs(lat - row.lat) > 1e-6) note(`a row is not where it was acknowledged: ${row.id} ${lon},${lat} for ${row.lon},${row.lat}`);
    } finally {
        row.busy = false;
    }
}
async function count() {
    const had = before + acknowledged, gone = removals;
    const answer = await expect(`${ITEMS}?limit=1`, [200]);
    const n = answer.json().numberMatched, least = had - removalsSent, most = before + sent - gone;
    if (n < least || n > most) note(`count: ${n} rows, between ${least} and ${most} are acknowledged`);
}

// ---- listeners

const waiting = [];  // [sequence, when]
function hear(sequence) {
    if (sequence && waiting.length < 1000 && dice() < 0.05) waiting.push([sequence, performance.now()]);
}
/* One that listens, leaves, comes back and says where it was. */
async function listener(main) {
    let last = 0;
    while (!over) {
        const stay = main ? Infinity : 2000 + dice() * 30000;
        await new Promise((resolve) => {
            const request = http.get({ host: base.hostname, port: base.port, path: '/changes', agent: false, headers: { accept: 'text/event-stream', ...(last ? { 'last-event-id': String(last) } : {}) } }, (response) => {
                if (response.statusCode !== 200) note(`/changes: ${response.statusCode}`);
                response.setEncoding('utf8');
                let text = '', alive = performance.now();
                const watch = setInterval(() => {
                    if (performance.now() - alive > 30000) note('/changes: silent for 30 s');
                    if (performance.now() - alive > 30000 || over) request.destroy();
                }, 500);
                const leave = stay === Infinity ? null : setTimeout(() => request.destroy(), stay);
                response.on('data', (more) => {
                    text += more;
                    alive = performance.now();
                    const blocks = text.split('\n\n');
                    text = blocks.pop();
                    for (const block of blocks) {
                        const id = Number(/^id: (\d+)/m.exec(block)?.[1] ?? 0), kind = /^event: (\w+)/m.exec(block)?.[1];
                        if (kind === 'reset' && last) note('/changes: reset for one who was away shortly');
                        if (id && id < last) note(`/changes: ${id} after ${last}`);
                        if (id) last = id;
                        if (main && id) {
                            while (waiting.length && waiting[0][0] <= id) measured('told', performance.now() - waiting.shift()[1]);
                        }
                    }
                });
                response.on('error', () => {});
                response.on('close', () => { clearInterval(watch); clearTimeout(leave); resolve(); });
            });
            request.on('error', (error) => { if (!over && error.code !== 'ECONNRESET') note(`/changes: ${error.message}`); resolve(); });
        });
        if (main && !over) note('/changes: the stream ended');
        await sleep(100 + dice() * 5000);
    }
}

// ---- everything that is only read

const tileX = (lon, z) => Math.floor((lon + 180) / 360 * 2 ** z);
const tileY = (lat, z) => Math.floor((1 - Math.asinh(Math.tan(lat * Math.PI / 180)) / Math.PI) / 2 * 2 ** z);
function tile(name, ending, low, high) {
    const z = low + Math.floor(dice() * (high - low + 1)), [lon, lat] = place();
    return `/tiles/${name}/${z}/${tileX(lon, z)}/${tileY(lat, z)}.${ending}`;
}
function readers(catalog) {
    const points = catalog.filter((l) => l.points).map((l) => l.id), other = catalog.filter((l) => !l.points).map((l) => l.id);
    const vector = [LAYER, LAYER, ...points, ...other];
    const cached = Array.from({ length: 100 }, () => tile(pick(vector), 'mvt', 10, 14));
    const tags = new Map();
    load('tile again', 40, async () => {
        const target = pick(cached), tag = dice() < 0.5 ? tags.get(target) : undefined;
        const answer = await expect(target, [200, 204, 304], { headers: tag ? { 'if-none-match': tag, 'accept-encoding': 'gzip' } : { 'accept-encoding': 'gzip' } });
        if (answer.headers.etag) tags.set(target, answer.headers.etag);
    });
    load('tile cold', 10, async () => { await expect(tile(pick(vector), 'mvt', 11, 17), [200, 204]); });
    load('heat', 4, async () => { await expect(tile(`heat:${dice() < 0.6 ? LAYER : pick(points)}`, 'png', 10, 15), [200]); });
    load('picture', 2, async () => { await expect(tile(pick([LAYER, ...points]), 'png', 12, 16), [200]); });
    const month = () => `2023-0${1 + Math.floor(dice() * 6)}`;
    load('query', 8, async () => {
        const [lon, lat] = place(), side = 0.005 + dice() * 0.03;
        const around = [lon - side, lat - side, lon + side, lat + side].map((d) => d.toFixed(5)).join(',');
        const [kind, target] = pick([
            ['items', `/collections/${pick(points)}/items?bbox=${around}&limit=50`],
            ['items', `${ITEMS}?bbox=${around}&limit=20`],
            ['sums', `/stats/${LAYER}?bbox=${around}`],
            ['nearest', `/nearest/${LAYER}?lon=${lon}&lat=${lat}&k=5`],
            ['value', `/value?name=heat:${LAYER}&lon=${lon}&lat=${lat}&z=14`],
            ['since', `/changes?since=${newest}`],
            ['about', `/collections/${LAYER}`],
        ]);
        await expect(target, [200]);
        return kind;
    });
    load('statistics', 0.5, async () => { await expect(`/stats/${LAYER}?by=${pick(units.length ? units : ['hour'])}&datetime=${month()}-01/..`, [200]); });
    load('count', 1, count);
    load('read back', Math.min(20, RATE / 5), readBack);
}

// ---- what is written to a line

async function du(folder) {
    let bytes = 0;
    for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
        const name = path.join(folder, entry.name);
        if (entry.isDirectory()) bytes += await du(name);
        else bytes += await stat(name).then((s) => s.size, () => 0);
    }
    return bytes;
}
async function sample() {
    const proc = `/proc/${server.pid}`, status = await readFile(`${proc}/status`, 'utf8');
    const kib = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
    const maps = await readFile(`${proc}/maps`, 'utf8');
    const metrics = (await expect('/metrics', [200])).bytes.toString();
    const metric = (name) => Number(new RegExp(`^onemap_${name} (\\S+)$`, 'm').exec(metrics)?.[1] ?? NaN);
    const cpu = (await readFile(`${proc}/stat`, 'utf8')).split(') ')[1].split(' ');
    return { s: Math.round((performance.now() - began) / 1000), third: third(), anon: kib('RssAnon') / 1024, rss: kib('VmRSS') / 1024,
        fds: (await readdir(`${proc}/fd`)).length, threads: kib('Threads'), maps: maps.split('\n').length, gone: new Set(maps.match(/\S+ \(deleted\)/g) ?? []).size,
        cpu: (Number(cpu[11]) + Number(cpu[12])) / 100, delta: metric('delta_rows'), dead: metric('dead_rows'), compactions: metric('compactions_total'),
        journal: metric('journal_bytes') / 2 ** 20, disk: await du(city) / 2 ** 20, listeners: metric('listeners'), flying: metric('requests_in_flight') };
}
function show(p, before_) {
    const f = (n, d = 0) => Number.isFinite(n) ? n.toFixed(d) : '-';
    const latency = [...kinds].map(([name, k]) => {
        const list = sorted(k.line);
        k.line = [];
        return list.length ? `${name} ${list.length} ${f(at(list, 0.5), 1)}/${f(at(list, 0.99), 0)}` : '';
    }).filter(Boolean).join(' · ');
    console.log(`${String(p.s).padStart(5)} s  anon ${f(p.anon)} rss ${f(p.rss)} MiB  fds ${p.fds} threads ${p.threads} maps ${p.maps} (${p.gone} deleted)  cpu ${f((p.cpu - (before_?.cpu ?? 0)) / LINE_S * 100)} %  ` +
        `delta ${f(p.delta)} dead ${f(p.dead)} compactions ${f(p.compactions)}  journal ${f(p.journal)} disk ${f(p.disk)} MiB  listeners ${f(p.listeners)}  errors ${errors} late ${late} load ${os.loadavg()[0].toFixed(1)}\n        ${latency}`);
}

// ---- the run

let units = [];
async function positions() {
    const manifest = JSON.parse(await readFile(path.join(city, 'city.json'), 'utf8')), about = manifest.positions;
    if (!about || !(await ask('/api')).bytes.includes('"/positions"')) return console.log('  no positions are followed here');
    const page = await ask(`/collections/${about.layer}/items?limit=1000`);
    if (page.status !== 200) return console.log(`  positions: no workers are seen: ${seen(page)}`);
    const workers = page.json().features.map((f) => f.id), clock = Date.parse(manifest.clock) / 1000, start = Date.now();
    load('positions', 0.2, async () => {
        const at_s = Math.floor(clock + (Date.now() - start) / 1000);
        const body = workers.map((worker) => { const [lon, lat] = place(); return JSON.stringify({ worker, lon, lat, at: at_s, on_duty: true }); }).join('\n');
        await expect('/positions', [200], { method: 'POST', type: 'application/x-ndjson', body });
    });
}
async function backups() {
    if ((await command('help', 'backup')).status !== 0) return console.log('  no backup in this version');
    const file = path.join(dir, 'backup'), back = path.join(dir, 'back'), every = Math.max(30, MINUTES * 60 / 5);
    for (let n = 0; !over; n++) {
        for (let s = 0; s < every && !over; s++) await sleep(1000);
        if (over) return;
        const start = performance.now(), taken = await command('backup', city, file);
        if (taken.status) note(`backup: ${taken.text}`);
        else if (n === 0) {
            const restored = await command('restore', file, back), verified = await command('verify', back);
            if (restored.status || verified.status) note(`restore: ${restored.text} ${verified.text}`);
            await rm(back, { recursive: true, force: true });
        }
        measured('backup', performance.now() - start);
        await rm(file, { recursive: true, force: true });
    }
}

/* From page to page through all rows that are ours: each where it was last
 * acknowledged, and none that was not. */
async function whole() {
    const left = new Map();
    for (const row of rows) if (row.there) left.set(row.id, row);
    const expected = left.size;
    let target = `${ITEMS}?limit=10000&filter=${encodeURIComponent("id LIKE 'soak-%'")}`, wrong = 0;
    while (target) {
        const page = (await expect(target, [200])).json();
        for (const f of page.features ?? []) {
            const row = left.get(f.id), [lon, lat] = f.geometry.coordinates;
            if (!row || Math.abs(lon - row.lon) > 1e-6 || Math.abs(lat - row.lat) > 1e-6) { if (wrong++ < 5) console.log(`  ${f.id} at ${lon},${lat}: ${row ? `acknowledged at ${row.lon},${row.lat}` : 'removed, or twice'}`); }
            left.delete(f.id);
        }
        const next = page.links?.find((l) => l.rel === 'next')?.href;
        target = next ? next.slice(new URL(next).origin.length) : null;
    }
    if (left.size || wrong) note(`after SIGKILL: ${left.size} of ${expected} acknowledged rows are missing (${[...left.keys()].slice(0, 5)}), ${wrong} are not as acknowledged`);
    else console.log(`all ${expected} rows are as they were acknowledged`);
    const n = (await ask(`${ITEMS}?limit=1`)).json().numberMatched;
    if (n !== before + expected) note(`${n} rows in the layer, ${before + expected} acknowledged`);
}

/* Flat is: not more than a share and a little more in the last third. */
function flat(name, unit, first, last, share, more) {
    const grown = last > first * (1 + share) + more, ok = !grown && Number.isFinite(first) && Number.isFinite(last);
    console.log(`${name.padEnd(24)} ${first.toFixed(1).padStart(10)} ${last.toFixed(1).padStart(10)} ${unit.padEnd(5)} ${ok ? 'flat' : 'GROWN'} (allowed: ${(first * (1 + share) + more).toFixed(1)})`);
    return ok;
}
function verdict() {
    const of = (which, name) => median(lines.filter((l) => l.third === which).map((l) => l[name]));
    let ok = true;
    console.log(`\n${'medians'.padEnd(24)} ${'first'.padStart(10)} ${'last third'.padStart(10)}`);
    for (const [name, unit, share, more] of [['anon', 'MiB', 0.15, 32], ['fds', '', 0.1, 8], ['threads', '', 0, 1], ['maps', '', 0.25, 64], ['gone', '', 0, 16]])
        ok = flat(name, unit, of('first', name), of('last', name), share, more) && ok;
    // Rows come and stay, and the journal fills until a quarter of the run.
    ok = flat('disk', 'MiB', of('first', 'disk'), of('last', 'disk'), 0.25, 256) && ok;
    ok = flat('journal', 'MiB', of('first', 'journal'), of('last', 'journal'), 0.5, 64) && ok;
    // What is not asked has no latency: more of it hides what grows.
    ok = flat('not asked', '', skipped.first, skipped.last, 0.5, 100) && ok;
    for (const [name, k] of kinds) {
        const first = sorted(k.first), last = sorted(k.last);
        if (first.length < 20 || last.length < 20) {
            console.log(`${`${name} p50`.padEnd(24)} ${String(first.length).padStart(10)} ${String(last.length).padStart(10)} of them: too few to judge`);
            continue;
        }
        ok = flat(`${name} p50`, 'ms', at(first, 0.5), at(last, 0.5), 0.5, 5) && ok;
        if (first.length >= 300) ok = flat(`${name} p99`, 'ms', at(first, 0.99), at(last, 0.99), 1, 50) && ok;
    }
    console.log(`\n${[...kinds].map(([name, k]) => `${k.count} ${name}`).join(', ')}; skipped because too many were under way: ${late}`);
    console.log(`compactions: ${lines.at(-1)?.compactions ?? 0}, rows acknowledged: ${acknowledged}, removed: ${removals}`);
    if (!(lines.at(-1)?.compactions > 0)) { console.log('no compaction happened: nothing is proved'); ok = false; }
    for (const [what, n] of faults) console.log(`ERROR ${n} x ${what}`);
    return ok && errors === 0;
}

async function main() {
    dir = await mkdtemp(`${path.resolve(CITY)}.soak-`);
    city = path.join(dir, 'city');
    await cp(CITY, city, { recursive: true, mode: (await import('node:fs')).constants.COPYFILE_FICLONE });
    await writeFile(path.join(dir, 'serve.json'), JSON.stringify({ compact_rows: COMPACT_ROWS, journal_rows: JOURNAL_ROWS, cache_mib: CACHE_MIB }));
    await writeFile(path.join(dir, 'token'), `${TOKEN}\n`);
    server = await serve();
    began = performance.now();
    const catalog = (await ask('/collections')).json().collections;
    const levels = (await ask('/?f=json')).json().levels ?? [];
    units = catalog.map((c) => c.id).filter((id) => levels.includes(id));
    const open = [];
    for (const c of catalog) {
        const one = (await ask(`/collections/${c.id}/items?limit=1`));
        if (one.status !== 200) continue;  // for those in charge only
        open.push({ id: c.id, points: one.json().features[0]?.geometry?.type === 'Point' });
    }
    const page = (await ask(`${ITEMS}?limit=50`)).json();
    templates = page.features.map((f) => Object.fromEntries(Object.entries(f.properties).filter(([k]) => k !== 'id' && !levels.includes(k))));
    before = page.numberMatched;
    box = catalog.find((c) => c.id === LAYER).extent.spatial.bbox[0].slice(0, 4);
    const [w, s, e, n] = box;
    box = [w + (e - w) * 0.1, s + (n - s) * 0.1, e - (e - w) * 0.1, n - (n - s) * 0.1];
    console.log(`# ${MINUTES} min; ${LAYER}: ${before} rows, ${RATE} writes/s and a batch every 5 s; compact_rows ${COMPACT_ROWS}, journal_rows ${JOURNAL_ROWS}, cache_mib ${CACHE_MIB}; load ${loads()}`);
    load('write', RATE, write);
    load('batch', 0.2, batch);
    readers(open);
    await positions();
    const listening = [listener(true), ...Array.from({ length: 24 }, () => listener(false))], saving = backups();
    while (performance.now() - began < MINUTES * 60000 && !over) {
        await sleep(LINE_S * 1000 - (performance.now() - began) % (LINE_S * 1000));
        const p = await sample().catch((error) => { note(`sample: ${error.message}`); over = over || server.gone !== undefined; });
        if (p) { show(p, lines.at(-1)); lines.push(p); }
    }
    over = true;
    await Promise.all([...running, ...listening, saving]);
    if (server.gone === undefined) {
        const killed = once(server, 'exit');
        server.kill('SIGKILL');
        await killed;
    }
    agent.destroy();
    const start = performance.now();
    server = await serve();
    console.log(`\nserves again ${((performance.now() - start) / 1000).toFixed(2)} s after SIGKILL`);
    await whole();
    const stopped = once(server, 'exit');
    server.kill('SIGTERM');
    const [code] = await stopped;
    if (code !== 0) note(`serve ended with ${code}`);
    const verified = await command('verify', city);
    if (verified.status) note(`verify: ${verified.text.slice(-500)}`);
    const ok = verdict();
    console.log(`verdict: ${ok ? 'flat, and nothing was lost' : 'NOT FLAT, or something is wrong'} (load at the end ${loads()})`);
    return ok;
}

let ok = false;
try { ok = await main(); } catch (error) { console.error(error); } finally { await cleanUp(); }
process.exit(ok ? 0 : 1);
