// What people write into JSON files, and get wrong.
//
// Plan
//   of the configuration each setting of another type or range is refused by
//   name, at the start; on SIGHUP it is told, and all stays as it was
//   a file that is empty is named, whichever it is
import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { onemap } from './onemap.mjs';
import { makeCity } from './sample.mjs';
import { serve } from './server.mjs';
import { untilWithin } from './until.mjs';

const until = untilWithin(120e3);
const WRONG = {
    listen: [80, null, ['127.0.0.1:0'], true], pages: [1], url: [{}], fonts: [3], in_charge_token_file: [false],
    read_only: ['yes', 1, null],
    writes_per_s: ['x', -1, 0, null, 1e10], client_writes_per_s: ['200', -0.5, 0],
    compact_rows: [-5, 0, 1.5, '7', 10000001], journal_rows: [-1, 1e300], threads: [0, 65, '2'], workers: [1e9], persons_s: [-300, 604801], cache_mib: ['1', 1048577],
};

test('settings of another type or range are refused by name', async (t) => {
    const { dir, city } = await makeCity(t), file = path.join(dir, 'serve.json'), put = (settings) => writeFile(file, JSON.stringify(settings));
    for (const [key, values] of Object.entries(WRONG))
        for (const value of values) {
            await put({ [key]: value });
            const said = await onemap('serve', city, '--listen', '127.0.0.1:0', '--config', file);
            assert.equal(said.status, 1, `${key}: ${value}`);
            assert.match(said.stderr, new RegExp(`^onemap serve: \\S*serve\\.json: ${key} is not (a|true) [^\\n]+\\n$`), `${key}: ${value}`);
        }

    // Rates at which no second write is taken for a quarter of an hour.
    await put({ client_writes_per_s: 1e-3, writes_per_s: 0.5, threads: 1, cache_mib: 1 });
    const { url, child } = await serve(t, city, '--config', file);
    let log = '';
    child.stderr.on('data', (bytes) => { log += bytes; });
    const write = async () => (await fetch(`${url}/collections/place/items/X`, { method: 'DELETE' })).status;
    await until('braked', async () => await write() === 429);
    for (const [key, value] of [['writes_per_s', 'x'], ['compact_rows', -5], ['client_writes_per_s', null]]) {
        await put({ [key]: value });
        child.kill('SIGHUP');
        await until(`${key} told`, () => new RegExp(`not reloaded, all stays as it was: \\S+: ${key} is not`).test(log));
        assert.equal(await write(), 429, key);
    }
    assert.doesNotMatch(log, /serve: reloaded/);
    await put({ client_writes_per_s: 1e5, writes_per_s: 1e5 });
    child.kill('SIGHUP');
    await until('taken', async () => await write() === 404);
});

test('a file that is empty is named', async (t) => {
    const { dir, city } = await makeCity(t), config = path.join(dir, 'serve.json'), empty = (file) => new RegExp(`\\b${file.replace('.', '\\.')}: not JSON: empty\\b`);
    await writeFile(config, '');
    assert.match((await onemap('serve', city, '--config', config)).stderr, empty('serve.json'));
    const says = async (file, ...line) => {
        await writeFile(path.join(city, file), '');
        const said = await onemap(...line);
        assert.equal(said.status, 1, file);
        assert.match(said.stderr + said.stdout, empty(path.basename(file)), file);
        if (file !== 'city.json') await rm(path.join(city, file));
    };
    await says('publish.json', 'publish', city, path.join(dir, 'public'));
    for (const verb of ['serve', 'verify']) await says('roles.json', verb, city);
    for (const verb of ['serve', 'verify']) await says('tokens.json', verb, city);
    for (const verb of ['serve', 'verify', 'info', 'token', 'backup', 'import']) await says('city.json', verb, city, ...{ token: ['list'], backup: [path.join(dir, 'b')], import: ['place', path.join(dir, 'places.csv')] }[verb] ?? []);
});
