// What is in a city is for its owner only; a release is for everybody.
//
// Plan
//   import, a server that writes, compacts and follows, search, backup and restore leave
//     nothing that others on the machine could enter, read or write
//   a city that is open to others is closed by the next import and the next server, which
//     say so; by one that only reads it is only told, and a link leads nowhere else
//   a release, made or restored, stays what everybody may read
import assert from 'node:assert/strict';
import { chmod, lstat, mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { done, folder, onemap } from './onemap.mjs';
import { serve } from './server.mjs';
import { untilWithin } from './until.mjs';

const until = untilWithin(120e3);
process.umask(0o022);

/** Of a folder and all in it: {name: mode}. */
async function modes(city) {
    const all = {};
    for (const name of ['', ...await readdir(city, { recursive: true })].filter((one) => !one.startsWith('linked'))) {
        const about = await lstat(path.join(city, name)).catch(() => null); // a part that was replaced meanwhile
        if (about && !about.isSymbolicLink()) all[name || '.'] = about.mode & 0o777;
    }
    return all;
}

async function closed(city, ...names) {
    const all = await modes(city);
    for (const name of names) assert.ok(Object.keys(all).some((one) => one === name || one.startsWith(`${name}/`)), `${name} is not among ${Object.keys(all)}`);
    assert.deepEqual(Object.entries(all).filter(([, mode]) => mode & 0o077).map(([name, mode]) => `${name} ${mode.toString(8)}`), []);
}

async function open(city) {
    for (const [name, mode] of Object.entries(await modes(city))) await chmod(path.join(city, name), mode | ((await lstat(path.join(city, name))).isDirectory() ? 0o055 : 0o044));
}

async function makeCity(t, rows = 50) {
    const dir = await folder(t), city = path.join(dir, 'city'), source = path.join(dir, 'places.csv');
    await writeFile(source, `lon,lat,id,name\n${Array.from({ length: rows }, (_, i) => `${113.7 + i / 1e4},23,P${i},Place ${i}`).join('\n')}\n,,bad,\n`);
    await done('import', city, 'place', source, '--x', 'lon', '--y', 'lat', '--id', 'id');
    return { dir, city, source };
}

test('what is made in a city is for its owner only', async (t) => {
    const { dir, city, source } = await makeCity(t);
    await closed(city, 'city.json', 'layers', 'rejects', '.lock');

    const config = path.join(dir, 'config.json');
    await writeFile(config, JSON.stringify({ compact_rows: 20 }));
    const before = (await readdir(path.join(city, 'layers'))).sort();
    const server = await serve(t, city, '--config', config);
    const rows = Array.from({ length: 60 }, (_, i) => JSON.stringify({ type: 'Feature', id: `N${i}`, geometry: { type: 'Point', coordinates: [113.7, 23.0001] }, properties: { name: `N${i}` } }));
    const answer = await fetch(`${server.url}/collections/place/items`, { method: 'POST', headers: { 'Content-Type': 'application/x-ndjson' }, body: rows.join('\n') });
    assert.equal(answer.status, 200, await answer.text());
    await closed(city, 'journal.db', 'journal.db-wal', 'journal.db-shm');
    await until('compaction', async () => (await readdir(path.join(city, 'layers'))).some((one) => !before.includes(one)));
    await closed(city);
    const { stderr } = await server.stop();
    assert.doesNotMatch(stderr, /others on this machine/);

    await done('search', city, 'Place 7');
    await done('tile', city, 'heat:place', '14/13368/7122', '--out', path.join(dir, 'tile.png'));
    assert.equal((await lstat(path.join(dir, 'tile.png'))).mode & 0o777, 0o644, 'what somebody asked for is as they are used to');
    await done('import', city, 'more', source, '--x', 'lon', '--y', 'lat', '--id', 'id');
    await closed(city, 'legends');

    await open(city);
    await done('backup', city, path.join(dir, 'backup'));
    await done('restore', path.join(dir, 'backup'), path.join(dir, 'again'));
    await closed(path.join(dir, 'again'), 'city.json', 'layers', 'journal.db');
});

test('a city that is open to others is closed, and that is said', async (t) => {
    const { dir, city, source } = await makeCity(t), beside = path.join(dir, 'beside');
    await mkdir(beside);
    await writeFile(path.join(beside, 'file'), '');
    await symlink(beside, path.join(city, 'linked'));
    const said = /warn|info.*were open to others/;

    await open(city);
    const reading = await serve(t, city, '--read-only');
    assert.match((await reading.stop()).stderr, /warn serve: [5-9] folders and files of .*city are open to others on this machine \(chmod -R go= /);
    assert.equal((await modes(city))['city.json'], 0o644, 'one that only reads changes nothing');

    const writing = await serve(t, city);
    await closed(city);
    assert.match((await writing.stop()).stderr, said);

    await open(city);
    const { status, stderr } = await onemap('import', city, 'other', source, '--x', 'lon', '--y', 'lat', '--id', 'id');
    assert.equal(status, 0, stderr);
    assert.match(stderr, said);
    await closed(city);
    assert.equal((await lstat(path.join(beside, 'file'))).mode & 0o777, 0o644);
    assert.equal((await lstat(beside)).mode & 0o777, 0o755);
});

test('a release is for everybody, made and restored', async (t) => {
    const { dir, city } = await makeCity(t), out = path.join(dir, 'release'), again = path.join(dir, 'again');
    const manifest = JSON.parse(await readFile(path.join(city, 'city.json'), 'utf8'));
    for (const layer of manifest.layers) layer.class = 'public';
    await writeFile(path.join(city, 'city.json'), JSON.stringify(manifest));
    await writeFile(path.join(city, 'publish.json'), JSON.stringify({ publish: 1, layers: [{ layer: 'place', columns: ['id', 'name'] }] }));
    await done('publish', city, out);
    await done('backup', out, path.join(dir, 'backup'));
    await done('restore', path.join(dir, 'backup'), again);
    const server = await serve(t, out);
    assert.doesNotMatch((await server.stop()).stderr, /others on this machine/);
    for (const one of [out, again])
        for (const [name, mode] of Object.entries(await modes(one)))
            if (!/^\.|journal|\.lock/.test(name) || name === '.') assert.equal(mode & 0o044, 0o044, `${name} ${mode.toString(8)}`);
});
