// Rows written over HTTP, and times after the city's clock.
//
// Plan
//   written, appended, played, planned: what has not happened yet is no report
//   of the steps of the closed loop, too, not of what is due
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { ask, CSV } from './ask.mjs';
import { done } from './onemap.mjs';
import { makeCity, ROWS } from './sample.mjs';
import { serve } from './server.mjs';
import { collection, countOf, feature, ITEMS, text } from './write_sample.mjs';

test('what has not happened yet is no report', async (t) => {
    const { dir, city } = await makeCity(t);
    const set = async (change) => {
        const file = path.join(city, 'city.json'), manifest = JSON.parse(await readFile(file, 'utf8'));
        change(manifest, manifest.layers.find((l) => l.name === 'place'));
        await writeFile(file, text(manifest));
    };
    // By the machine's clock, where the city has none of its own.
    const real = await serve(t, city), machine = (s) => new Date(Date.now() + s * 1000).toISOString().replace(/\.\d+/, '');
    assert.equal((await ask(real.url + ITEMS, { method: 'POST', body: feature('N1', { at: machine(60) }) })).status, 201);
    const late = await ask(real.url + ITEMS, { method: 'POST', body: collection([feature('N2'), feature('N3', { at: machine(86400) })]) });
    assert.equal(late.status, 400);
    assert.deepEqual(late.json().errors.map((e) => [e.row, e.id, e.field]), [[2, 'N3', 'at']]);
    assert.match(late.json().errors[0].reason, /is later than the city's clock, 20/);
    assert.equal(await countOf(real.url), ROWS + 1);
    const part = await ask(`${real.url}${ITEMS}?partial=true`, { method: 'POST', body: collection([feature('N2'), feature('N3', { at: '2099-01-01' })]) });
    assert.deepEqual([part.status, part.json().taken, part.json().refused], [200, 1, 1]);
    for (const [method, body] of [['PUT', feature('N2', { at: machine(86400) })], ['PATCH', { properties: { at: machine(86400) } }]])
        assert.deepEqual((await ask(`${real.url}${ITEMS}/N2`, { method, body: body })).json().errors.map((e) => e.field), ['at'], method);
    assert.equal((await ask(`${real.url}${ITEMS}/N2`, { method: 'PATCH', body: { properties: { weight: 3 } } })).status, 200);
    await real.stop();

    // A synthetic city's goes as it is told to, and a row's time does not move it.
    await set((m) => { m.synthetic = true; m.clock = '2023-06-27T00:00:00+08:00'; });
    const played = await serve(t, city), at = played.url + ITEMS, clock = async () => (await ask(`${played.url}/?f=json`)).json().clock;
    const go = (id, when, headers = {}) => ask(at, { method: 'POST', body: feature(id, { at: when }), headers });
    assert.equal((await go('S1', '2023-06-27T00:04:00+08:00')).status, 201);
    assert.equal(await clock(), '2023-06-27T00:00:00+08:00');
    assert.equal((await go('S2', '2023-06-27T01:00:00+08:00')).status, 400);
    assert.equal((await go('S2', '2023-06-27T01:00:00+08:00', { 'City-Clock': '2023-06-27T01:00:00+08:00' })).status, 201);
    assert.equal(await clock(), '2023-06-27T01:00:00+08:00');
    assert.equal((await go('S3', '2023-06-27T01:03:00+08:00')).status, 201);

    // Appended from a file: by the clock as it is now, row by row.
    const file = path.join(dir, 'later.csv'), rejects = path.join(dir, 'later.rejects.csv');
    const table = (prefix, times) => writeFile(file, 'lon,lat,id,kind,weight,note,at\n' + times.map((when, i) => `113.6,22.8,${prefix}${i},shop,9,,${when}`).join('\n') + '\n');
    await table('L', ['2023-06-27T01:00:00+08:00', '2033-01-01', '2023-06-27T01:04:00+08:00', '']);
    assert.match(await done('import', city, 'place', file, '--append', '--rejects', rejects), /read 4, taken 3, rejected 1/);
    assert.match(await readFile(rejects, 'utf8'), /^2,"L1","at","later than the city's clock","2033-01-01T00:00:00\+08:00"$/m);
    await played.stop();

    // A layer of what is to come, and one that comes as a whole, are as they say.
    await set((m, place) => { place.planned = true; });
    const planned = await serve(t, city);
    assert.equal((await ask(planned.url + ITEMS, { method: 'POST', body: feature('F1', { at: '2033-01-01' }) })).status, 201);
    await table('M', ['2033-01-01']);
    assert.match(await done('import', city, 'place', file, '--append'), /read 1, taken 1\b/);
    assert.equal(JSON.parse(await readFile(path.join(city, 'city.json'), 'utf8')).layers.find((l) => l.name === 'place').planned, true);
    await set((m, place) => { delete place.planned; });
    assert.match(await done('import', city, 'place', file, '--replace'), /read 1, taken 1\b/);
});

test('a step that has not been made is no step, what is due is a plan', async (t) => {
    const { dir, city } = await makeCity(t), file = path.join(city, 'city.json'), table = path.join(dir, 'report.csv');
    const HEAD = 'lon,lat,id,opened,closed,due,seen', CLOCK = '2023-06-27T00:00:00+08:00', LATE = '2024-01-01T00:00:00+08:00', ITEM = '/collections/report/items';
    const good = { opened: '2023-06-26T08:00:00+08:00', closed: '2023-06-26T09:00:00+08:00', due: LATE, seen: LATE };
    const rows = (...list) => writeFile(table, [HEAD, ...list.map((r, i) => `113.7,22.9,${r.id ?? `R${i}`},${r.opened},${r.closed},${r.due},${r.seen}`)].join('\n') + '\n');
    // As a whole it is what its source says.
    await rows(good, { ...good, closed: LATE });
    await done('import', city, 'report', table, '--time', 'opened');
    const set = async (change) => {
        const manifest = JSON.parse(await readFile(file, 'utf8'));
        change(manifest, manifest.layers.find((l) => l.name === 'report'));
        await writeFile(file, text(manifest));
    };
    await set((m) => {
        m.synthetic = true;
        m.clock = CLOCK;
        m.wall = { loop: { layer: 'report', done: 'closed', due: 'due', steps: [{ value: 'opened', time: 'opened' }, { value: 'closed', time: 'closed' }, { value: 'lost', time: 'nowhere' }, {}] } };
    });
    const served = await serve(t, city), at = served.url + ITEM;
    const feature = (id, more) => ({ type: 'Feature', id, geometry: { type: 'Point', coordinates: [113.7, 22.9] }, properties: { ...good, ...more } });
    const refused = (answer, row = 1, id = 'R0') => {
        assert.equal(answer.status, 400, answer.body);
        assert.deepEqual(answer.json().errors.map((e) => [e.row, e.id, e.field, e.reason]), [[row, id, 'closed', `${LATE} is later than the city's clock, ${CLOCK}`]]);
    };
    refused(await ask(at, { method: 'POST', body: collection([feature('N1'), feature('N2', { closed: LATE })]) }), 2, 'N2');
    refused(await ask(at, { method: 'POST', type: CSV, body: `${HEAD}\n113.7,22.9,N1,${good.opened},${LATE},${LATE},${LATE}\n` }), 1, 'N1');
    refused(await ask(`${at}/R0`, { method: 'PATCH', body: { properties: { closed: LATE } } }));
    refused(await ask(`${at}/R0`, { method: 'PUT', body: feature('R0', { closed: LATE }) }));
    // Plans, other times, a step within the five minutes, one taken back, and a row that came so.
    assert.equal((await ask(at, { method: 'POST', body: feature('N1') })).status, 201);
    for (const [id, properties] of [['R0', { due: '2030-01-01T00:00:00+08:00' }], ['R0', { closed: '2023-06-27T00:05:00+08:00' }], ['R0', { closed: null }], ['R1', { due: LATE }]])
        assert.equal((await ask(`${at}/${id}`, { method: 'PATCH', body: { properties } })).status, 200, text(properties));
    assert.equal((await ask(`${at}/R0`, { method: 'PATCH', headers: { 'City-Clock': '2023-06-27T02:00:00+08:00' }, body: { properties: { closed: '2023-06-27T02:00:00+08:00' } } })).status, 200);

    const rejects = path.join(dir, 'report.rejects.csv');
    await rows({ ...good, id: 'A0' }, { ...good, id: 'A1', closed: LATE }, { ...good, id: 'A2', opened: LATE, closed: '' });
    assert.match(await done('import', city, 'report', table, '--append', '--rejects', rejects), /read 3, taken 1, rejected 2/);
    const told = await readFile(rejects, 'utf8');
    assert.match(told, /^2,"A1","closed","later than the city's clock","2024-01-01T00:00:00\+08:00"$/m);
    assert.match(told, /^3,"A2","opened","later than the city's clock"/m);
    await served.stop();

    // What is planned may begin a loop; its steps are made all the same.
    await set((m, report) => { report.planned = true; });
    const planned = await serve(t, city);
    assert.equal((await ask(planned.url + ITEM, { method: 'POST', body: feature('P1', { opened: LATE }) })).status, 201);
    assert.deepEqual((await ask(planned.url + ITEM, { method: 'POST', body: feature('P2', { opened: LATE, closed: LATE }) })).json().errors.map((e) => e.field), ['closed']);
});
