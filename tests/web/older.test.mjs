// An older city.json in the place of the newest.
//
// Plan
//   beside a running writer: it is mended, with what was edited in it, and
//   compaction goes on; after an import it is not taken, /ready and the log say
//   why, and the newest put back is
//   while nobody runs: verify, serve, backup, import and --accept-loss name it
//   and change nothing; --newest brings all rows back, edits kept; a city.json
//   that is no JSON, too; a mark of the journal that is damaged is named
import assert from 'node:assert/strict';
import { copyFile, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { done, onemap } from './onemap.mjs';
import { get, makeCity, ROWS, SOUTH, WEST } from './sample.mjs';
import { charge, serve } from './server.mjs';
import { untilWithin } from './until.mjs';

const until = untilWithin(120e3), BATCH = 100;

async function begin(t) {
    const { dir, city } = await makeCity(t), config = path.join(dir, 'serve.json'), file = path.join(city, 'city.json');
    const { args, auth } = await charge(dir), json = async () => JSON.parse(await readFile(file, 'utf8'));
    // So few are kept by the journal that only files have most rows.
    await writeFile(config, JSON.stringify({ compact_rows: 50, journal_rows: 10 }));
    let written = 0;
    return {
        dir, city, file, json,
        async serve() {
            const server = await serve(t, city, '--config', config, ...args);
            let log = '';
            server.child.stderr.on('data', (bytes) => { log += bytes; });
            const ready = async () => (await get(`${server.url}/ready`, { headers: auth })).json();
            const count = async () => (await get(`${server.url}/stats/place`, { headers: auth })).json().count;
            /** Write rows until files have them. */
            const write = async () => {
                const from = written, { sequence } = await json();
                written += BATCH;
                const body = Array.from({ length: BATCH }, (_, i) => JSON.stringify({ type: 'Feature', id: `N${from + i}`, geometry: { type: 'Point', coordinates: [WEST + 0.1, SOUTH + 0.1] }, properties: { weight: 1 } })).join('\n');
                const answer = await fetch(`${server.url}/collections/place/items`, { method: 'POST', body, headers: { ...auth, 'content-type': 'application/x-ndjson' } });
                assert.equal(answer.status, 200, await answer.text());
                await until('written to files', async () => (await json()).sequence > sequence);
                return written;
            };
            return { ...server, log: () => log, ready, count, write, total: () => ROWS + written };
        },
        /** The older one as an editor saves it: with a title of the editor's own. */
        async edit(older, title) {
            const edited = structuredClone(older);
            edited.layers.find((l) => l.name === 'place').title = title;
            await writeFile(file, JSON.stringify(edited, null, 2));
        },
        title: async () => (await json()).layers.find((l) => l.name === 'place').title,
    };
}

test('beside a running writer an older city.json is mended, or refused in words', async (t) => {
    const c = await begin(t), { dir, city, file, json } = c, older = await json();
    const server = await c.serve();
    await server.write();
    const newest = await json();
    assert.ok(newest.sequence > older.sequence);
    await c.edit(older, '地点');
    await until('mended', async () => (await json()).sequence === newest.sequence);
    assert.equal(await c.title(), '地点');
    assert.deepEqual((await json()).layers.map((l) => l.parts), newest.layers.map((l) => l.parts));
    assert.match(server.log(), /city\.json is an older copy, of commit \d+: files are again those of commit \d+/);
    assert.equal(await server.count(), server.total());
    await server.write();
    assert.equal(await c.title(), '地点');
    assert.equal((await server.ready()).city, undefined);

    await done('import', city, 'road', path.join(dir, 'roads.geojson'), '--id', 'id', '--replace');
    await until('the import is known', async () => (await json()).sequence > newest.sequence && await server.write());
    await c.edit(older, 'another');
    await until('said', async () => (await server.ready()).city);
    const said = await server.ready();
    assert.match(said.city, /^city\.json is an older copy, of commit \d+, not taken: the newest is \d+, and layer road has been imported since \(copy city\.committed\.json over it/);
    assert.match(server.log(), /not taken: the newest is/);
    assert.equal(await server.count(), server.total());
    assert.equal(await c.title(), 'another');
    await copyFile(path.join(city, 'city.committed.json'), file);
    await until('well', async () => !(await server.ready()).city);
    await server.write();
    assert.equal(await server.count(), server.total());
    assert.equal((await server.stop()).code, 0);
    await done('verify', city);
});

test('while nobody runs an older city.json is named, and brought back without loss', async (t) => {
    const c = await begin(t), { dir, city, file, json } = c, older = await json();
    const first = await c.serve();
    await first.write();
    await first.write();
    const total = first.total();
    await first.stop();
    const newest = await json(), files = (await readdir(path.join(city, 'layers'))).sort();
    await c.edit(older, '地点');
    const before = await readFile(file);
    for (const line of [['verify', city], ['verify', city, '--accept-loss'], ['backup', city, path.join(dir, 'backup')],
        ['import', city, 'road', path.join(dir, 'roads.geojson'), '--id', 'id', '--replace']]) {
        const said = await onemap(...line);
        assert.equal(said.status, 1, line.join(' '));
        assert.match(said.stderr, /^onemap \w+: city\.json is an older copy, of commit \d+; the newest is \d+, and its files are there \(bring it back without loss: onemap verify CITY --newest\)(; no backup was written [^\n]*)?\n$/m, line.join(' '));
    }
    const lame = await c.serve(), ready = await lame.ready();
    assert.equal(ready.writable, false);
    assert.match(ready.reason, /^the city can only be read: city\.json is an older copy, .*--newest/);
    assert.doesNotMatch((await lame.stop()).stderr, /--replace/);
    assert.deepEqual(await readFile(file), before);
    assert.deepEqual((await readdir(path.join(city, 'layers'))).sort(), files);

    const took = await done('verify', city, '--newest');
    assert.match(took, /^city\.json was of commit \d+, and is of commit \d+ again; what was there is in city\.older-\d+\.json, and all but its files is as it said$/m);
    assert.match(took, /^all sound$/m);
    assert.deepEqual((await json()).layers.map((l) => l.parts), newest.layers.map((l) => l.parts));
    assert.equal(await c.title(), '地点');
    const again = await c.serve();
    assert.equal(await again.count(), total);
    await again.write();
    assert.equal(await again.count(), again.total());
    await again.stop();

    for (const spoil of [() => writeFile(file, ''), () => rm(file)]) {
        await spoil();
        assert.equal((await onemap('verify', city)).status, 1);
        assert.equal((await onemap('import', city, 'road', path.join(dir, 'roads.geojson'), '--id', 'id')).status, 1);
        assert.match(await done('verify', city, '--newest'), /^city\.json is of commit \d+ again[^\n]*edit city\.json again where it was edited$[^]*^all sound$/m);
    }
    assert.match(await done('verify', city, '--newest'), /nothing was changed[^]*^all sound$/m);
    const mark = path.join(city, 'journal.mark'), kept = await readFile(mark);
    kept[20] ^= 1;
    await writeFile(mark, kept);
    const spoilt = await onemap('verify', city);
    assert.equal(spoilt.status, 1);
    assert.match(spoilt.stdout, /^journal +BAD: \S*journal\.mark is not what was written/m);
    const last = await c.serve();
    assert.equal(await last.count(), last.total());
    await last.stop();
    await done('verify', city);
});
