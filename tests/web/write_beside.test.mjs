// Rows written over HTTP beside what else is done to a city.
//
// Plan
//   imports: on top, below, instead of what was written, also while they read
//   under load imports, reloads and a stop, with no failed request
//   reloads take what is right and say what is wrong: models, settings, tokens,
//   city.json
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import test from 'node:test';

import { ask } from './ask.mjs';
import { done, onemap, PROGRAM } from './onemap.mjs';
import { makeCity, places, ROWS, tileX, tileY } from './sample.mjs';
import { serve } from './server.mjs';
import { collection, countOf, feature, ITEMS, text, until } from './write_sample.mjs';

/** Clients that write, count and fetch tiles until told to stop; every answer
 *  that is not as it should be is kept. */
function load(url, clients = 8, tag = 'L') {
    const agent = new http.Agent({ keepAlive: true, maxSockets: clients });
    const failed = [], written = [];
    let going = true, requests = 0;
    const one = async (w) => {
        for (let i = 0; going; i++) {
            const id = `${tag}${w}-${i}`;
            const jobs = [['POST', ITEMS, { body: feature(id) }, 201], ['GET', `${ITEMS}?limit=2`, {}, 200], ['GET', `/tiles/place/14/${tileX(113.65, 14)}/${tileY(22.85, 14)}.mvt`, {}, 200]];
            for (const [method, target, options, wanted] of jobs) {
                let answer;
                try {
                    answer = await ask(url + target, { method, ...options, agent });
                } catch (error) {
                    // No connection any more is the end of the server, not of a request.
                    if (error.code === 'ECONNREFUSED') return;
                    failed.push(`${method} ${target}: ${error.code ?? error.message}`);
                    return;
                }
                requests++;
                if (answer.status !== wanted) failed.push(`${method} ${target}: ${answer.status} ${answer.text().slice(0, 200)}`);
                else if (method === 'POST') written.push(id);
            }
        }
    };
    const all = Promise.all(Array.from({ length: clients }, (_, w) => one(w)));
    return { failed, written, end: async () => { going = false; await all; agent.destroy(); assert.ok(requests > clients); } };
}

test('imports beside it: on top, below, instead', async (t) => {
    const { dir, city } = await makeCity(t), server = await serve(t, city), { url } = server, at = `${url}${ITEMS}`;
    const seen = async (wanted, what) => {
        await until(what, async () => await countOf(url) === wanted);
    };
    const weightOf = async (id) => (await ask(`${at}/${id}`)).json().properties?.weight;
    assert.equal((await ask(at, { method: 'POST', body: collection([feature('J1', { weight: 50 }), feature('J2')]) })).status, 200);
    assert.equal((await ask(`${at}/P00000`, { method: 'PATCH', body: '{"properties":{"weight":51}}' })).status, 200);
    assert.equal((await ask(`${at}/P00001`, { method: 'DELETE' })).status, 204);
    assert.equal((await ask(`${at}/J2`, { method: 'DELETE' })).status, 204);
    // Appended: ids of living rows, of written ones and of just removed ones are taken.
    const more = path.join(dir, 'more.csv');
    await writeFile(more, 'lon,lat,id,kind,weight,note,at\n' + ['A1', 'J1', 'J2', 'P00000', 'P00001', 'P00002'].map((id) => `113.6,22.8,${id},shop,9,,2023-03-01`).join('\n') + '\n');
    const said = await done('import', city, 'place', more, '--append', '--rejects', path.join(dir, 'rejects.csv'));
    assert.match(said, /read 6, taken 1, rejected 5/);
    await seen(ROWS + 1, 'appended');
    assert.deepEqual([await weightOf('A1'), await weightOf('J1'), await weightOf('P00000')], [9, 50, 51]);
    // Units anew: columns follow, also those of written rows, and such a row is
    // not the one that was read.
    const tag = async (id) => (await ask(`${at}/${id}`)).headers.etag;
    const [written, untouched] = [await tag('J1'), await tag('P00002')];
    const squares = JSON.parse(await readFile(path.join(dir, 'units.geojson'), 'utf8'));
    for (const f of squares.features) f.properties.id = `V${f.properties.id}`;
    await writeFile(path.join(dir, 'units2.geojson'), text(squares));
    await done('import', city, 'square', path.join(dir, 'units2.geojson'), '--replace', '--id', 'id');
    await until('its new unit', async () => (await ask(`${at}/J1`)).json().properties.square === 'VU11');
    for (const [id, old] of [['J1', written], ['P00002', untouched]]) {
        assert.notEqual(await tag(id), old, id);
        assert.equal((await ask(`${at}/${id}`, { headers: { 'If-None-Match': old } })).status, 200, id);
        assert.equal((await ask(`${at}/${id}`, { method: 'PATCH', body: '{}', headers: { 'If-Match': old } })).status, 412, id);
        assert.equal((await ask(`${at}/${id}`, { method: 'PATCH', body: '{}', headers: { 'If-Match': await tag(id) } })).status, 200, id);
    }
    const then = await tag('P00000');
    assert.match((await ask(`${url}/stats/place?by=square`)).text(), /VU11/);
    // Replaced: what was written before is gone, what is written after lies on top.
    const sequence = Number((await ask(`${at}?limit=1`)).headers['data-sequence']);
    await done('import', city, 'place', path.join(dir, 'places.csv'), '--replace');
    await seen(ROWS, 'replaced');
    assert.equal(await weightOf('P00000'), 0);
    assert.equal((await ask(`${at}/P00000`, { method: 'DELETE', headers: { 'If-Match': then } })).status, 412);
    assert.equal((await ask(`${at}/J1`)).status, 404);
    const put = await ask(`${at}/P00000`, { method: 'PUT', body: feature('P00000', { weight: 52 }) });
    assert.ok(Number(put.headers['data-sequence']) > sequence);
    assert.equal(await weightOf('P00000'), 52);
    // With other columns: what is written has those from then on.
    const other = path.join(dir, 'other.csv');
    await writeFile(other, 'lon,lat,id,colour\n' + places(300).map((r) => `${r.lon},${r.lat},${r.id},red`).join('\n') + '\n');
    await done('import', city, 'place', other, '--replace', '--id', 'id');
    await seen(300, 'other columns');
    assert.equal((await ask(at, { method: 'POST', body: feature('J9') })).status, 400);
    const coloured = { ...feature('J9'), properties: { colour: 'blue' } };
    assert.equal((await ask(at, { method: 'POST', body: coloured })).status, 201);
    assert.equal((await ask(`${at}/P00000`, { method: 'PATCH', body: '{"properties":{"colour":"green"}}' })).status, 200);
    await server.stop();
    assert.match(await done('verify', city), /all sound/);
    const again = await serve(t, city);
    assert.equal(await countOf(again.url), 301);
    assert.deepEqual((await ask(`${again.url}${ITEMS}/P00000`)).json().properties, { id: 'P00000', colour: 'green', square: (await ask(`${again.url}${ITEMS}/P00000`)).json().properties.square });
    assert.equal((await ask(`${again.url}${ITEMS}/J9`)).json().properties.colour, 'blue');
});

/** An import that is held while it reads, before anything of it shows; null: it
 *  was done before it could be held. */
async function held(city, ...args) {
    const sequenceOf = async () => JSON.parse(await readFile(path.join(city, 'city.json'), 'utf8')).sequence;
    const before = await sequenceOf(), begun = path.join(city, 'rejects');
    const child = spawn(PROGRAM, ['import', city, ...args]), said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr']) child[name].on('data', (bytes) => { said[name] += bytes; });
    const over = new Promise((resolve) => child.on('close', (status) => resolve({ status, ...said })));
    let ended = false;
    over.then(() => { ended = true; });
    while (!ended && !existsSync(begun)) await new Promise((resolve) => setTimeout(resolve, 1));
    child.kill('SIGSTOP');
    const state = async () => (await readFile(`/proc/${child.pid}/stat`, 'utf8').catch(() => ') Z')).replace(/^.*\) /s, '')[0];
    await until('it is held', async () => ['T', 'Z'].includes(await state()));
    const go = () => { child.kill('SIGCONT'); return over; };
    if (!ended && await sequenceOf() === before) return go;
    await go();
    return null;
}

test('replacing says how many writes of while it ran are gone', async (t) => {
    const { dir, city } = await makeCity(t), { url } = await serve(t, city);
    const file = path.join(dir, 'many.csv'), columns = ['--x', 'lon', '--y', 'lat', '--id', 'id', '--time', 'at'];
    await writeFile(file, 'lon,lat,id,kind,weight,note,at\n' + Array.from({ length: 100000 }, (_, i) => `113.6,22.8,B${i},shop,9,,2023-03-01`).join('\n') + '\n');
    const put = async (id) => assert.ok([200, 201].includes((await ask(`${url}${ITEMS}/${id}`, { method: 'PUT', body: feature(id) })).status));
    await put('before');
    let go = null;
    for (let i = 0; i < 20 && !go; i++) go = await held(city, 'place', file, '--replace', ...columns);
    assert.ok(go, 'no import could be held');
    for (const id of ['W1', 'W2', 'W3', 'W1']) await put(id);
    assert.equal((await ask(`${url}${ITEMS}/W2`, { method: 'DELETE' })).status, 204);
    const { status, stderr } = await go();
    assert.equal(status, 0, stderr);
    assert.match(stderr, /place: 5 writes that the city took while this ran are gone/);
    await until('replaced', async () => await countOf(url) === 100000);
    // Nothing came meanwhile: nothing to say.
    const quiet = await onemap('import', city, 'place', file, '--replace', ...columns);
    assert.doesNotMatch(quiet.stderr, /while this ran/);
});

test('under load: imports, reloads and a stop without a failed request', async (t) => {
    const { dir, city } = await makeCity(t), server = await serve(t, city), { url, child } = server;
    const work = load(url);
    const other = path.join(dir, 'other.csv');
    await writeFile(other, 'lon,lat,id,kind\n' + places(2000).map((r) => `${r.lon},${r.lat},O${r.id},shop`).join('\n') + '\n');
    await done('import', city, 'other', other, '--id', 'id');
    await done('import', city, 'road', path.join(dir, 'roads.geojson'), '--replace', '--id', 'id');
    const more = path.join(dir, 'more.csv');
    await writeFile(more, 'lon,lat,id,kind,weight,note,at\n' + places(3000).map((r) => `${r.lon},${r.lat},M${r.id},shop,1,,2023-03-01`).join('\n') + '\n');
    await done('import', city, 'place', more, '--append');
    await done('import', city, 'other', other, '--replace', '--id', 'id');
    for (const row of ['/collections/other/items/OP00001', `${ITEMS}/MP00001`]) await until(row, async () => (await ask(url + row)).status === 200);
    for (let i = 0; i < 5; i++) {
        child.kill('SIGHUP');
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.deepEqual(work.failed, []);
    // What the last answers said is kept by the next server.
    const { code, stderr } = await server.stop();
    await work.end();
    assert.equal(code, 0, stderr);
    assert.deepEqual(work.failed, []);
    const again = await serve(t, city);
    assert.equal(await countOf(again.url), ROWS + 3000 + work.written.length);
    for (const id of work.written.filter((_, i) => i % 50 === 0)) assert.equal((await ask(`${again.url}${ITEMS}/${id}`)).status, 200, id);
});

/** What a server says on stderr, as it comes. */
function logOf(child) {
    const log = { said: '' };
    child.stderr.on('data', (bytes) => { log.said += bytes; });
    return log;
}
/** A function that has it read its files again, and waits for what it says of that. */
const reloads = (child, log) => async (word) => {
    const from = log.said.length;
    child.kill('SIGHUP');
    await until(word, () => log.said.slice(from).includes(word));
};

test('a model that was good stays until something good takes its place', async (t) => {
    const { dir, city } = await makeCity(t), server = await serve(t, city), { url, child } = server;
    const log = logOf(child), reload = reloads(child, log);
    const folder = path.join(city, 'models'), file = (name) => path.join(folder, `${name}.json`);
    const model = (name) => ({ name, title: name, kernel: 'quartic', bandwidth_m: 800, terms: [{ name: 'all', title: '全', title_en: 'all', layer: 'place', factor: 1 }], denominator: 'area' });
    const legend = async (name, at = url) => (await ask(`${at}/legend/heat:${name}.json`)).status;
    const tile = async (name, at = url) => (await ask(`${at}/tiles/heat:${name}/8/208/111.png`)).status;
    const ready = async (at = url) => (await ask(`${at}/ready`)).json();
    await mkdir(folder, { recursive: true });
    await writeFile(file('fire'), text(model('fire')));
    await reload('info serve: reloaded');
    assert.equal((await ready()).models, undefined);
    // Broken before anybody has asked for it.
    await writeFile(file('fire'), '{');
    await reload('not reloaded, all stays as it was');
    assert.match(log.said, /models\/fire\.json/);
    // A new base and a model beside the broken one: each is there.
    await writeFile(file('water'), text(model('water')));
    const other = path.join(dir, 'other.csv');
    for (const [i, how] of [['A1', []], ['A2', ['--append']], ['A3', ['--replace']]]) {
        await writeFile(other, `lon,lat,id,kind\n113.6,22.8,${i},shop\n`);
        await done('import', city, 'other', other, ...how, '--id', 'id');
        await until(i, async () => (await ask(`${url}/collections/other/items/${i}`)).status === 200);
        for (const name of ['fire', 'water']) assert.deepEqual([await legend(name), await tile(name)], [200, 200], `${name} after ${i}`);
        const { models } = await ready();
        assert.deepEqual(Object.keys(models), ['fire']);
        assert.equal(models.fire.served, 'as before');
        assert.match(models.fire.why, /models\/fire\.json/);
    }
    assert.match(log.said, /warn models: models\/fire\.json.*what was before stays/);
    assert.equal((await server.stop()).code, 0);
    // The next server has not seen what it was, and says so.
    const next = await serve(t, city);
    assert.deepEqual([await legend('fire', next.url), await legend('water', next.url)], [404, 200]);
    assert.equal((await ready(next.url)).models.fire.served, false);
    assert.match((await ready(next.url)).models.fire.why, /models\/fire\.json/);
    assert.match((await next.stop()).stderr, /warn models: models\/fire\.json/);
});

test('a reload takes what is right, and says what is wrong', async (t) => {
    const { dir, city } = await makeCity(t), config = path.join(dir, 'serve.json');
    await writeFile(config, '{}');
    const server = await serve(t, city, '--config', config), { url, child } = server;
    const log = logOf(child), reload = reloads(child, log);
    const title = async () => (await ask(`${url}/collections/place`)).json().title;
    const file = path.join(city, 'city.json'), manifest = JSON.parse(await readFile(file, 'utf8'));
    const place = manifest.layers.find((l) => l.name === 'place');
    place.title = '地方';
    await writeFile(file, text(manifest));
    await reload('info serve: reloaded');
    assert.equal(await title(), '地方');
    // A model that cannot be read, a config that is none, a city.json cut off.
    await mkdir(path.join(city, 'models'), { recursive: true });
    const model = path.join(city, 'models', 'fire.json');
    const fire = { name: 'fire', title: 'Fire', kernel: 'quartic', bandwidth_m: 800, terms: [{ name: 'all', title: '全', title_en: 'all', layer: 'place', factor: 1 }], denominator: 'area' };
    await writeFile(model, text(fire));
    await reload('info serve: reloaded');
    const legend = async () => ask(`${url}/legend/heat:fire.json`);
    assert.equal((await legend()).status, 200);
    await writeFile(model, text({ ...fire, kernell: 1 }));
    await reload('not reloaded');
    assert.match(log.said, /not reloaded.*kernell/);
    assert.equal((await legend()).status, 200);
    await writeFile(model, text(fire));
    await writeFile(config, '{"colour": 1}');
    await reload("no setting 'colour'");
    await writeFile(config, text({ client_writes_per_s: 1 }));
    await reload('info serve: reloaded');
    // At once: within a second, however slow the machine is.
    const answers = (await Promise.all(Array.from({ length: 20 }, (_, i) => ask(`${url}${ITEMS}`, { method: 'POST', body: feature(`RL${i}`) })))).map(({ status }) => status);
    assert.ok(answers.includes(429), answers.join());
    // A token, and then another: whoever has the old one is not in charge.
    const tokens = ['the-first-of-two-tokens', 'the-second-of-two-tokens'], at = path.join(dir, 'token');
    const by = async (token) => (await ask(`${url}${ITEMS}/by-token`, { method: 'PUT', body: feature('by-token'), headers: { authorization: `Bearer ${token}` } })).status;
    await writeFile(config, text({ in_charge_token_file: at }));
    await reload('not reloaded');
    for (const [i, token] of tokens.entries()) {
        await writeFile(at, token);
        await reload('info serve: reloaded');
        assert.equal(Math.floor(await by(token) / 100), 2);
        assert.equal(await by(tokens[1 - i]), 401);
    }
    await writeFile(at, 'short');
    await reload('not reloaded');
    assert.equal(await by(tokens[1]), 200);
    await writeFile(at, tokens[1]);
    await writeFile(file, text(manifest).slice(0, 200));
    await reload('not reloaded');
    assert.equal(await title(), '地方');
    await writeFile(file, text(manifest));
    await reload('info serve: reloaded');
    assert.equal((await ask(`${url}/health`)).status, 200);
});
