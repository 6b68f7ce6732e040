// Differencing by restart: what was told last of persons is told on by the next
// server, so that a restart tells no single change either.
//
// Plan
//   nine rows of a grid change one by one (values, levels, one that goes, one
//   that comes), and after each the server ends by SIGTERM or SIGKILL at some
//   moment, while files are written anew all the time: what roles are told that
//   only count is the same to the byte
//   a server that only reads the city tells the same, at its start and on
//   a backup that is restored tells the same
//   rows that are appended or replaced while no server runs are told no sooner
//   the tenth row: all of them are told, and it is exact
//   a file that is damaged, or of another city: said, and the city is served
import assert from 'node:assert/strict';
import { cp, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { MERGE } from './ask.mjs';
import { done, random } from './onemap.mjs';
import { askAs, groupBy, layersOf, makeSynthetic, rowsOf, token } from './roles.mjs';
import { tileX, tileY } from './sample.mjs';
import { serve } from './server.mjs';

const LEAST = 10, sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const TARGETS = ['/stats/rental?by=grid&sum=residents', '/stats/rental?by=town&sum=residents', '/stats/rental?sum=residents', '/stats/rental?by=level', '/coverage/patrol?by=level'];

const item = (id) => `/collections/rental/items/${id}`;

async function number(url, who, name) {
    return Number(new RegExp(`\\n${name} (\\d+)`).exec((await askAs(url, who)('/metrics')).text())[1]);
}

/** Until what is told of persons has been looked at after all that is written:
 * a start tells what was told, and looks at nothing yet. */
async function looked(url, who) {
    const sequence = Number((await askAs(url, who)('/stats/rental')).headers['data-sequence']), looks = await number(url, who, 'onemap_persons_looks');
    for (let i = 0; i < 1200; i++) {
        if (await number(url, who, 'onemap_persons_looks') > looks && await number(url, who, 'onemap_persons_sequence') >= sequence) return;
        await sleep(50);
    }
    assert.fail('never looked at');
}

/** What is told, without what says when. */
async function toldBy(url, who) {
    const out = {};
    for (const role of ['wall', 'analyst'])
        for (const target of TARGETS) {
            const answer = await askAs(url, who[role])(target);
            assert.equal(answer.status, 200, target);
            out[`${role} ${target}`] = answer.text();
        }
    return out;
}

const filesOf = async (city) => (await layersOf(city)).find((l) => l.name === 'rental').parts.map((p) => p.file);

test('a restart tells nobody of a single row', async (t) => {
    const { dir, city, source } = await makeSynthetic(t, 0.01), config = path.join(dir, 'serve.json');
    // Of the layers with residents rentals are the one that is added up.
    const about = path.join(city, 'city.json'), manifest = JSON.parse(await readFile(about, 'utf8'));
    manifest.exposures.resident.layer = 'rental';
    await writeFile(about, JSON.stringify(manifest));
    const who = { admin: await token(city, 'admin'), wall: await token(city, 'wall'), analyst: await token(city, 'analyst') };
    const byGrid = groupBy(await rowsOf(city, 'rental'), (r) => r.grid);
    const cellOf = (row) => `${tileX(Number(row.lon), 13)}/${tileY(Number(row.lat), 13)}`;
    // Of one cell of the tiles each, so that they go together, too.
    const [houses, others] = Object.entries(byGrid).filter(([g]) => g).map(([, rows]) => Object.values(groupBy(rows, cellOf)).sort((a, b) => b.length - a.length)[0]).sort((a, b) => b.length - a.length);
    assert.ok(houses.length > 2 * LEAST && others.length > 2 * LEAST);
    const next = random(3), apart = path.join(dir, 'apart');
    await cp(city, apart, { recursive: true });
    await writeFile(config, JSON.stringify({ persons_s: 1, compact_rows: 7 }));
    let server = await serve(t, city, '--config', config);
    const again = async (signal) => {
        await server.stop(signal);
        server = await serve(t, city, '--config', config);
    };
    const write = async (method, row, properties) => {
        const { status } = await askAs(server.url, who.admin)(item(row.id), { method, type: MERGE, body: properties && { type: 'Feature', properties } });
        assert.ok(status < 300, `${method} ${row.id}: ${status}`);
    };
    const same = async (url, what) => {
        await looked(url, who.admin);
        assert.deepEqual(await toldBy(url, who), before, what);
    };
    await looked(server.url, who.admin);
    let before = await toldBy(server.url, who);
    assert.equal((await stat(path.join(city, 'told'))).mode & 0o777, 0o600);
    const files = await filesOf(city);
    const sumOf = async (role) => (await askAs(server.url, who[role])('/stats/rental?sum=residents')).json().sum;

    await t.test('nine rows, and a restart between them', async () => {
        for (let i = 0; i < LEAST - 1; i++) {
            const row = houses[i];
            if (i === 2) await write('DELETE', row);
            else if (i === 5) await write('PATCH', row, { level: row.level === 'strict' ? 'lenient' : 'strict' });
            else await write('PATCH', row, { residents: Number(row.residents) + 1000 * (i + 1) });
            if (![2, 5, 8].includes(i)) continue;
            // Others are written, too, back to what they were, and all of it to files.
            for (const other of others.slice(0, 8)) {
                await write('PATCH', other, { residents: 5 });
                await write('PATCH', other, { residents: Number(other.residents) });
            }
            // At some moment before or after it is looked at, or on its way to a file.
            await sleep(next() % 2000);
            await again(i === 5 ? 'SIGTERM' : 'SIGKILL');
            assert.deepEqual(await toldBy(server.url, who), before, `at the start, after ${i + 1}`);
            await same(server.url, `after ${i + 1}`);
        }
        assert.ok(await number(server.url, who.admin, 'onemap_persons_held') >= LEAST - 1);
        assert.notDeepEqual(await filesOf(city), files, 'no file was written anew');
    });

    await t.test('servers that only read, and a copy from a backup', async () => {
        const reader = await serve(t, city, '--read-only', '--config', config);
        assert.deepEqual(await toldBy(reader.url, who), before);
        const saved = path.join(dir, 'city.backup'), copy = path.join(dir, 'copy');
        await done('backup', city, saved, '--quiet');
        await done('restore', saved, copy, '--quiet');
        const restored = await serve(t, copy, '--config', config);
        assert.deepEqual(await toldBy(restored.url, who), before);
        await same(restored.url, 'restored');
        await restored.stop();
        // Ten of another grid: both tell of these, and of nothing else.
        for (const other of others.slice(0, LEAST)) await write('PATCH', other, { residents: 70 });
        await looked(server.url, who.admin);
        const now = await toldBy(server.url, who);
        assert.notDeepEqual(now, before);
        for (let i = 0; i < 600 && (await toldBy(reader.url, who))[`wall ${TARGETS[2]}`] !== now[`wall ${TARGETS[2]}`]; i++) await sleep(100);
        assert.deepEqual(await toldBy(reader.url, who), now);
        await reader.stop();
        before = now;
        await again('SIGKILL');
        await same(server.url, 'after ten of another grid');
    });

    await t.test('ten of each column, and ten that go: all are told', async () => {
        for (const row of houses.slice(LEAST, 2 * LEAST - 1)) await write('DELETE', row);
        await looked(server.url, who.admin);
        assert.equal(await sumOf('wall'), await sumOf('admin'));
        assert.notDeepEqual(await toldBy(server.url, who), before);
        before = await toldBy(server.url, who);
        await again('SIGTERM');
        await same(server.url, 'all told');
    });

    await t.test('what is imported while nobody serves is told ten rows at a time, too', async () => {
        await server.stop();
        server = await serve(t, apart, '--config', config);
        before = await toldBy(server.url, who);
        await server.stop();
        // Residents of one house, in a layer that is replaced; one that is added.
        const file = path.join(source, 'rental.csv'), [head, ...lines] = (await readFile(file, 'utf8')).trimEnd().split('\n');
        const at = head.split(',').indexOf('residents'), id = head.split(',').indexOf('id'), cells = lines[7].split(',');
        const changed = cells.with ? cells.with(at, '777').join(',') : cells.map((c, i) => (i === at ? '777' : c)).join(',');
        await writeFile(file, [head, ...lines.map((line, i) => (i === 7 ? changed : line)), ''].join('\n'));
        await done('import', apart, 'rental', file, '--replace', '--quiet');
        server = await serve(t, apart, '--config', config);
        assert.deepEqual(await toldBy(server.url, who), before, 'replaced');
        await same(server.url, 'replaced, looked at');
        assert.notEqual(await sumOf('admin'), await sumOf('wall'));
        await server.stop('SIGKILL');
        const one = path.join(dir, 'one.csv');
        await writeFile(one, [head, cells.map((c, i) => (i === id ? 'NEW-1' : c)).join(','), ''].join('\n'));
        await done('import', apart, 'rental', one, '--append', '--quiet');
        server = await serve(t, apart, '--config', config);
        await same(server.url, 'appended');
        assert.equal(await number(server.url, who.admin, 'onemap_persons_held'), 2);
    });

    await t.test('a file that is damaged is said', async () => {
        await looked(server.url, who.admin);
        await server.stop();
        await truncate(path.join(apart, 'told'), 60);
        server = await serve(t, apart, '--config', config);
        const { stderr } = await (await looked(server.url, who.admin), server.stop());
        assert.match(stderr, /told: what was told of persons last is not known \(.*damaged/);
        server = await serve(t, apart, '--config', config);
        assert.doesNotMatch((await server.stop()).stderr, /not known/);
    });
});
