// listen.mjs - a thousand listeners, and how soon they know.
//
//   node listen.mjs URL SECONDS TOKEN WORKERS LAYER
//
// Listeners come and go while single rows are written 50 times a second; one of
// them fetches, for each of its own rows, the tile above it as soon as it is
// told. Then positions come, single and in batches. One line a measurement:
// name|operations|p50 s|p99 s|longest s|rows|bytes
import http from 'node:http';
import { performance } from 'node:perf_hooks';

const [url, seconds, token, workers, layer] = process.argv.slice(2);
const auth = { authorization: `Bearer ${token}` }, RATE = 50, LISTENERS = 1000;
const many = new http.Agent({ maxSockets: Infinity }), few = new http.Agent({ keepAlive: true, maxSockets: 16 });
const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function say(name, times, rows, bytes) {
    const s = [...times].sort((a, b) => a - b), at = (p) => ((s[Math.min(s.length - 1, Math.floor(s.length * p))] ?? 0) / 1e3).toFixed(6);
    console.log([name, s.length, at(0.5), at(0.99), at(1), rows, bytes].join('|'));
}

function ask(method, path, body, headers = {}, agent = few) {
    return new Promise((resolve, reject) => {
        const request = http.request(url + path, { method, agent, headers: { ...auth, ...headers } }, (response) => {
            const chunks = [];
            response.on('data', (c) => chunks.push(c));
            response.on('end', () => resolve({ status: response.statusCode, body: Buffer.concat(chunks) }));
        });
        request.on('error', reject);
        request.end(body);
    });
}

let bytes = 0, events = 0;
const ears = new Set(), waiting = new Map(), told = [], joins = [];
/** Sequences of rows that are acknowledged and not yet told to the first listener. */
function listen(onChange) {
    const began = performance.now();
    return new Promise((resolve) => {
        const ear = { text: '' };
        const request = http.get(`${url}/changes?layers=${layer}`, { agent: many }, (response) => {
            response.setEncoding('utf8');
            response.on('error', () => {});
            response.on('close', () => ears.delete(ear));
            response.on('data', (text) => {
                bytes += text.length;
                ear.text += text;
                const blocks = ear.text.split('\n\n');
                ear.text = blocks.pop();
                for (const block of blocks) {
                    if (block.includes('event: beat') && !ear.here) {
                        ear.here = true;
                        ears.add(ear);
                        joins.push(performance.now() - began);
                        resolve(ear);
                    }
                    if (!block.includes('event: change')) continue;
                    events++;
                    onChange?.(Number(/id: (\d+)/.exec(block)[1]));
                }
            });
        });
        request.on('error', () => {});
        ear.leave = () => request.destroy();
    });
}

const tile = (lon, lat, z) => [Math.floor((lon + 180) / 360 * 2 ** z),
    Math.floor((1 - Math.asinh(Math.tan(lat * Math.PI / 180)) / Math.PI) / 2 * 2 ** z)];
const seen = [];
let shown = 0, wrong = 0;
const looks = [];
async function look({ id, lon, lat, at }) {
    const [x, y] = tile(lon, lat, 16);
    const answer = await ask('GET', `/tiles/${layer}/16/${x}/${y}.mvt`);
    if (answer.body.includes(id)) shown++;
    else wrong++;
    seen.push(performance.now() - at);
}

await listen((sequence) => {
    const now = performance.now();
    for (const [s, row] of waiting)
        if (s <= sequence) {
            told.push(now - row.at);
            waiting.delete(s);
            looks.push(look(row));
        }
});
let began = performance.now();
await Promise.all(Array.from({ length: LISTENERS - 1 }, () => listen()));
say(`${LISTENERS} listeners join at once`, joins, LISTENERS, bytes);

let rows = 0, refused = 0, lastTold = 0;
const acknowledged = [];
const churn = setInterval(() => {
    [...ears].slice(1, 11).forEach((e) => e.leave());
    for (let i = 0; i < 10; i++) listen();
}, 200);
bytes = events = 0;
began = performance.now();
const writes = [];
for (let i = 0; i < RATE * seconds; i++) {
    const due = i * 1000 / RATE - (performance.now() - began);
    if (due > 0) await rest(due);
    const row = { id: `L${process.pid}-${i}`, lon: 113.7 + (i * 7919 % 1000) / 5000, lat: 22.9 + (i * 104729 % 1000) / 5000, at: performance.now() };
    writes.push(ask('POST', `/collections/${layer}/items`, JSON.stringify({ type: 'Feature', id: row.id,
        geometry: { type: 'Point', coordinates: [row.lon, row.lat] }, properties: { at: '2023-06-26T12:00:00+08:00' } }),
    { 'content-type': 'application/geo+json' }).then((answer) => {
        acknowledged.push(performance.now() - row.at);
        const { sequence } = JSON.parse(answer.body);
        if (!sequence) return refused++;
        rows++;
        waiting.set(sequence, row);
    }));
}
await Promise.all(writes);
clearInterval(churn);
// A row that was told before its answer came is told with the next event.
await ask('POST', `/collections/${layer}/items`, JSON.stringify({ type: 'Feature', id: `L${process.pid}-last`,
    geometry: { type: 'Point', coordinates: [113.7, 22.9] }, properties: { at: '2023-06-26T12:00:00+08:00' } }), { 'content-type': 'application/geo+json' });
for (let i = 0; i < 100 && waiting.size; i++) await rest(50);
await Promise.all(looks);
say('report acknowledged', acknowledged, rows, 0);
say('report to listener', told, events, bytes);
say('report to tile, once told', seen, shown, 0);
if (refused || wrong || waiting.size) console.log(`    refused ${refused}, tiles without the row ${wrong}, never told ${waiting.size}`);
[...ears].forEach((e) => e.leave());

const clock = Date.parse(JSON.parse((await ask('GET', '/?f=json')).body).clock) / 1000;
const fix = (i, at) => `${JSON.stringify({ worker: `G${String(1 + i % workers).padStart(5, '0')}`, lon: 113.75 + i % 100 / 1000, lat: 23 + i % 70 / 1000, at, on_duty: true })}\n`;
const singles = [], pending = [];
began = performance.now();
for (let i = 0; i < 10400; i++) {
    const due = i / 1.04 - (performance.now() - began);
    if (due > 0) await rest(due);
    const at = performance.now();
    pending.push(ask('POST', '/positions', fix(i, clock + 1 + i / workers | 0), { 'content-type': 'application/x-ndjson' }).then((answer) => {
        if (answer.status === 200) singles.push(performance.now() - at);
    }));
}
await Promise.all(pending);
say('positions, single, 1,040/s', singles, singles.length, 0);
const batches = [];
let taken = 0, sent = 0;
for (let k = 0; k < 20; k++) {
    const body = Array.from({ length: Number(workers) }, (_, i) => fix(i, clock + 3600 + k)).join(''), at = performance.now();
    const answer = await ask('POST', '/positions', body, { 'content-type': 'application/x-ndjson' });
    batches.push(performance.now() - at);
    taken += JSON.parse(answer.body).taken;
    sent += body.length;
}
say(`positions of ${workers} at once`, batches, taken, sent);
process.exit(0);
