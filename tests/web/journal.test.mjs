// A city whose journal is not what it should be: what is sure is shown, it is
// said, nothing is written until somebody decides.
//
// Plan
//   a bit of a record, of an entry, a missing entry: rows before it are shown,
//   log, info, /ready and the answer to a write say why; verify fails
//   verify --accept-loss keeps all that can be read, names what is lost, goes on
//   above all numbers that were given, and leaves the old files aside
//   the journal removed, an older copy, another city's: the same, with and
//   without its mark, whether the server was killed or stopped
//   a backup, an import and a reader beside it see it, too
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';

import { ask } from './ask.mjs';
import { done, onemap } from './onemap.mjs';
import { get, makeCity, ROWS } from './sample.mjs';
import { serve } from './server.mjs';
import { feature, ITEMS } from './write_sample.mjs';

const run = promisify(execFile);
const post = (url, id) => ask(`${url}${ITEMS}`, { method: 'POST', body: feature(id) });
const seen = async (url, id) => (await get(`${url}${ITEMS}/${id}`)).status === 200;
const count = async (city) => Number(await done('query', city, 'place', '--count'));

/** A city with rows W0 to W9 in its journal, as `signal` leaves it. */
async function written(t, signal = 'SIGKILL') {
    const { dir, city } = await makeCity(t), server = await serve(t, city);
    for (let i = 0; i < 10; i++) assert.equal((await post(server.url, `W${i}`)).status, 201);
    const last = Number((await get(`${server.url}${ITEMS}?limit=1`)).headers['data-sequence']);
    await server.stop(signal);
    // All of it into the one file.
    if (signal === 'SIGKILL') await sql(city, 'PRAGMA wal_checkpoint(TRUNCATE)');
    return { dir, city, last };
}
const sql = (city, text) => run('python3', ['-c', 'import sqlite3, sys\nc = sqlite3.connect(sys.argv[1], isolation_level=None)\nprint(c.execute(sys.argv[2]).fetchall())', path.join(city, 'journal.db'), text]);

/** It is shown as far as it is sure, by every door; `sure` of W0... are there. */
async function checkRefused(t, city, sure, word, ways = [[]]) {
    const asked = await onemap('query', city, 'place', '--count');
    assert.deepEqual([asked.status, asked.stdout.trim()], [0, String(ROWS + sure)], asked.stderr);
    assert.match(asked.stderr, word);
    assert.match(asked.stderr, /what is sure is shown, and nothing is written/);
    const info = await onemap('info', city);
    assert.equal(info.status, 0);
    assert.match(info.stdout, /^journal +NOT SOUND, no writes: journal\.db.*--accept-loss/m);
    for (const args of ways) {
        const server = await serve(t, city, ...args), { url } = server;
        for (let i = 0; i < 10; i++) assert.equal(await seen(url, `W${i}`), i < sure, `W${i}`);
        const refused = await post(url, 'never');
        assert.ok([403, 503].includes(refused.status), refused.text());
        if (!args.length) assert.match(refused.json().detail, /journal is damaged: journal\.db/);
        const ready = (await get(`${url}/ready`)).json();
        assert.equal(ready.writable, false);
        assert.match(ready.journal, word);
        assert.ok(!JSON.stringify(ready).includes(city), 'paths are for the log');
        assert.match((await server.stop()).stderr, word);
    }
    const verified = await onemap('verify', city);
    assert.equal(verified.status, 1);
    assert.match(verified.stdout, /^journal +BAD: /m);
    const backup = await onemap('backup', city, `${city}.backup`);
    assert.equal(backup.status, 1, backup.stdout);
    assert.match(backup.stderr, word);
}

/** After the decision: those rows, and writes again, above all old numbers. */
async function checkAccepted(t, city, rows, last, lost) {
    const accepted = await onemap('verify', city, '--accept-loss');
    assert.equal(accepted.status, 0, accepted.stdout + accepted.stderr);
    assert.match(accepted.stdout, /all sound/);
    for (const line of lost) assert.match(accepted.stdout, line);
    const aside = /city\/(journal-aside-\d+)$/m.exec(accepted.stdout)?.[1];
    assert.ok(aside, accepted.stdout);
    assert.deepEqual((await readdir(city)).filter((f) => /^journal-ma/.test(f)), []);
    let server = await serve(t, city);
    for (let i = 0; i < 10; i++) assert.equal(await seen(server.url, `W${i}`), rows.includes(i), `W${i}`);
    const made = await post(server.url, 'after');
    assert.equal(made.status, 201, made.text());
    assert.ok(Number(made.headers['data-sequence']) > last, `${made.headers['data-sequence']} > ${last}`);
    await server.stop('SIGKILL');
    server = await serve(t, city);
    assert.ok(await seen(server.url, 'after'));
    await server.stop();
    assert.equal(await count(city), ROWS + rows.length + 1);
    // Nothing to decide any more.
    assert.match(await done('verify', city, '--accept-loss'), /nothing was changed/);
    await done('backup', city, `${city}.sound`);
    await rm(`${city}.sound`);
}
const all = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

test('a record is damaged', async (t) => {
    const { city, last } = await written(t);
    await sql(city, "UPDATE row SET new = substr(new, 1, length(new) - 1) || x'07' WHERE sequence = (SELECT sequence FROM entry WHERE id = 'W6')");
    await checkRefused(t, city, 6, /entry \d+ is damaged/, [[], ['--read-only']]);
    await checkAccepted(t, city, all.filter((i) => i !== 6), last, [/^lost: write \d+ of place W6$/m, /9 entries kept|1[01] entries kept/]);
});

test('an entry is damaged, and one is missing', async (t) => {
    const { city, last } = await written(t);
    await sql(city, "UPDATE entry SET at_ms = at_ms + 1 WHERE id = 'W4'");
    await sql(city, "DELETE FROM entry WHERE id = 'W7'");
    await checkRefused(t, city, 4, /entry \d+ is damaged/);
    await checkAccepted(t, city, all.filter((i) => i !== 4 && i !== 7), last, [/^lost: write \d+$/m, /2 lost/]);
});

test('a number that is none, a table of cells, a page', async (t) => {
    const { city, last } = await written(t);
    await sql(city, "UPDATE entry SET sequence = 4611686018427387904 WHERE id = 'W9'");
    await sql(city, 'INSERT INTO cell VALUES(1, 18, 5, 3, 4, 5)');
    const refused = await onemap('info', city);
    assert.match(refused.stdout, /NOT SOUND/);
    await checkAccepted(t, city, all.filter((i) => i !== 9), last, [/1 lost/]);
});

for (const [signal, mark] of [['SIGKILL', true], ['SIGKILL', false], ['SIGTERM', false]]) test(`the journal is removed, ${mark ? 'but for its mark, ' : ''}after ${signal}`, async (t) => {
    const { city, last } = await written(t, signal);
    for (const file of await readdir(city)) if (/^journal\./.test(file) && !(mark && file === 'journal.mark')) await rm(path.join(city, file));
    await checkRefused(t, city, 0, /journal\.db is (not there, though city\.json knows of one with writes up to number \d+|empty or gone)/);
    const imported = await onemap('import', city, 'road', path.join(path.dirname(city), 'roads.geojson'), '--id', 'id', '--replace');
    assert.equal(imported.status, 1);
    assert.match(imported.stderr, /--accept-loss/);
    // Of the last one that was killed only its mark knows how far it went.
    await checkAccepted(t, city, [], signal === 'SIGTERM' || mark ? last : 0, [/no journal could be read/]);
});

test('an older copy of the journal, and another one', async (t) => {
    const { dir, city } = await written(t, 'SIGTERM'), kept = path.join(dir, 'kept');
    await mkdir(kept);
    const files = async (from, to) => { for (const f of await readdir(from)) if (/^journal\./.test(f)) await cp(path.join(from, f), path.join(to, f)); };
    await files(city, kept);
    let server = await serve(t, city);
    assert.equal((await ask(`${server.url}${ITEMS}/W0`, { method: 'DELETE' })).status, 204);
    const last = Number((await get(`${server.url}${ITEMS}?limit=1`)).headers['data-sequence']);
    await server.stop();
    for (const f of await readdir(city)) if (/^journal\./.test(f)) await rm(path.join(city, f));
    await files(kept, city);
    await checkRefused(t, city, 10, /ends at number \d+, and city\.json knows of writes up to \d+: it is an older one/);
    // A reader that serves sees the decision.
    const reader = await serve(t, city, '--read-only');
    await checkAccepted(t, city, all, last, [/1 lost/]);
    for (let i = 0; i < 600 && !await seen(reader.url, 'after'); i++) await new Promise((resolve) => setTimeout(resolve, 100));
    assert.ok(await seen(reader.url, 'after'));
    assert.equal((await get(`${reader.url}/ready`)).json().journal, undefined);
    await reader.stop();

    const other = await written(t, 'SIGTERM');
    for (const f of await readdir(city)) if (/^journal\./.test(f)) await rm(path.join(city, f));
    await files(other.city, city);
    await checkRefused(t, city, 0, /is another one than city\.json knows/);
    const busy = await serve(t, other.city);
    const held = await onemap('verify', other.city, '--accept-loss');
    assert.equal(held.status, 1);
    assert.match(held.stderr, /being served and written/);
    await busy.stop();
});

test('a journal that is no database', async (t) => {
    const { city, last } = await written(t, 'SIGTERM'), file = path.join(city, 'journal.db');
    const bytes = await readFile(file);
    await writeFile(file, Buffer.alloc(bytes.length, 7));
    await checkRefused(t, city, 0, /not a database|not a journal/);
    await checkAccepted(t, city, [], last, [/no journal could be read/]);
    // What was there is kept.
    const aside = (await readdir(city)).find((f) => f.startsWith('journal-aside'));
    assert.deepEqual(await readFile(path.join(city, aside, 'journal.db')), Buffer.alloc(bytes.length, 7));
});

test('a decision that was interrupted is finished', async (t) => {
    const { city, last } = await written(t);
    await sql(city, "UPDATE entry SET at_ms = at_ms + 1 WHERE id = 'W4'");
    const copy = `${city}-copy`;
    await cp(city, copy, { recursive: true });
    await done('verify', copy, '--accept-loss');
    // As if it had been stopped before the new one came into its place.
    await mkdir(path.join(city, 'journal-made'));
    for (const f of ['journal.db', 'journal.mark']) await rename(path.join(copy, f), path.join(city, 'journal-made', f));
    await rm(path.join(city, 'journal.db'));
    await checkAccepted(t, city, all.filter((i) => i !== 4), last, []);
});
