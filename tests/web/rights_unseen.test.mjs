// rights_unseen.test.mjs - what a writer does not see it does not write.
//
// Plan
//   a column or a layer that is not seen is answered word for word as one that does
//   not exist, in every form and by every method, and nothing is written; who has
//   not a layer among those that it sees at all sends its rows as they are to be
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { askAs, makeSynthetic, rowsOf, token } from './roles.mjs';
import { serve } from './server.mjs';

const HIDDEN = ['level', 'level_since', 'residents'];
const JSON_TYPE = 'application/geo+json', LINES = 'application/x-ndjson', PATCH = 'application/merge-patch+json';

async function send(url, headers, method, target, type, body) {
    const answer = await fetch(`${url}${target}`, { method, headers: { ...headers, ...(type ? { 'content-type': type } : {}) }, body });
    return { status: answer.status, text: await answer.text() };
}
const cells = (list) => list.map((value) => (value === null || value === undefined ? '' : `"${String(value).replaceAll('"', '""')}"`)).join(',');
const table = (list, names) => [['id', 'lon', 'lat', ...names].join(','), ...list.map((f) => cells([f.id, ...f.geometry.coordinates, ...names.map((n) => f.properties[n])]))].join('\n') + '\n';
/** The ways in which rows are sent in the place of others. */
const FORMS = {
    put: (f) => ['PUT', `/collections/rental/items/${f[0].id}`, JSON_TYPE, JSON.stringify(f[0])],
    post: (f) => ['POST', '/collections/rental/items?upsert=true', JSON_TYPE, JSON.stringify(f[0])],
    collection: (f) => ['POST', '/collections/rental/items?upsert=true', JSON_TYPE, JSON.stringify({ type: 'FeatureCollection', features: f })],
    lines: (f) => ['POST', '/collections/rental/items?upsert=true&partial=true', LINES, f.map((one) => JSON.stringify(one)).join('\n')],
    table: (f, names = ['address', 'model_house']) => ['POST', '/collections/rental/items?upsert=true', 'text/csv', table(f, names)],
};
const plain = ({ type, id, geometry, properties }) => ({ type, id, geometry, properties });

test('what a writer does not see it does not write', async (t) => {
    const { city } = await makeSynthetic(t, 0.001);
    // What there is the command line says, which has no roles.
    const rows = async () => Object.fromEntries((await rowsOf(city, 'rental')).map((row) => [row.id, row]));
    const kept = (row) => HIDDEN.map((name) => row[name]), some = Object.values(await rows()).filter((row) => kept(row).every((value) => value));
    const take = (n) => some.splice(0, n);
    const file = path.join(city, 'roles.json'), roles = JSON.parse(await readFile(file, 'utf8')), counts = { layers: ['*'], write: ['*'], personal: 'counts', smallest_count: 10 };
    roles.roles.keeper = counts;
    roles.roles.narrow = { ...counts, personal: 'rows', columns: { rental: ['address', 'model_house'] } };
    roles.roles.none = { ...counts, personal: 'none' };
    await writeFile(file, JSON.stringify(roles));
    const who = {};
    for (const role of ['keeper', 'narrow', 'none', 'ingest', 'admin']) who[role] = { authorization: `Bearer ${await token(city, role)}` };
    const { url } = await serve(t, city);
    const get = async (headers, id) => plain(await (await fetch(`${url}/collections/rental/items/${id}`, { headers })).json());

    await t.test('who sees nothing of a layer sends rows whole', async () => {
        const [row] = take(1), f = await get(who.admin, row.id), { level, level_since, ...left } = f.properties;
        assert.equal((await send(url, who.ingest, ...FORMS.put([{ ...f, properties: { ...left, level_since, residents: 5 } }]))).status, 200);
        assert.deepEqual(kept((await rows())[f.id]), ['', row.level_since, '5']);
        assert.equal((await send(url, who.ingest, ...FORMS.table([f], ['level', 'residents']))).status, 200);
        assert.deepEqual(kept((await rows())[f.id]), [row.level, '', row.residents]);
        // Who sees all of it, too.
        assert.equal((await send(url, who.admin, ...FORMS.put([{ ...f, properties: left }]))).status, 200);
        assert.deepEqual(kept((await rows())[f.id]), ['', '', row.residents]);
        assert.equal((await send(url, who.ingest, 'PATCH', `/collections/rental/items/${f.id}`, PATCH, '{"properties":{"level":"strict"}}')).status, 200);
        const workers = (await askAs(url, who.admin.authorization.slice(7))('/collections/worker/items?limit=1')).json().features;
        assert.equal((await send(url, who.ingest, 'PUT', `/collections/worker/items/${workers[0].id}`, JSON_TYPE, JSON.stringify(plain(workers[0])))).status, 200);
    });

    await t.test('what is not seen is not there', async () => {
        const [row] = take(1), other = 'no_such', f = { ...await get(who.admin, row.id), properties: {} };
        const named = (name) => [...Object.values(FORMS).slice(0, 4).map((make) => make([{ ...f, properties: { [name]: 'strict' } }])), FORMS.table([{ ...f, properties: { [name]: 'strict' } }], [name]),
            ['PATCH', `/collections/rental/items/${f.id}`, PATCH, JSON.stringify({ properties: { [name]: 'strict' } })], ['PATCH', `/collections/rental/items/${f.id}`, PATCH, JSON.stringify({ properties: { [name]: null } })],
            ['POST', '/collections/rental/items', LINES, JSON.stringify({ ...f, id: `x-${name}`, properties: { [name]: null } })]];
        for (const role of ['keeper', 'narrow', 'none']) {
            const there = named('level'), none = named(other);
            for (const i of there.keys()) {
                const [a, b] = [await send(url, who[role], ...there[i]), await send(url, who[role], ...none[i])];
                const same = (text) => text.replaceAll(other, 'level').replace(/"sequence":\d+/, '').replace(/"(first|last)":\d+/g, '');
                assert.equal(a.status, b.status, `${role} ${there[i][0]} ${there[i][2]}: ${a.text}`);
                assert.equal(same(a.text), same(b.text));
            }
            assert.deepEqual(kept((await rows())[f.id]), kept(row));
        }
        const workers = (await askAs(url, who.admin.authorization.slice(7))('/collections/worker/items?limit=1')).json().features.map(plain), [w] = workers, body = JSON.stringify(w);
        for (const role of ['keeper', 'none'])
            for (const [method, at, type, text] of [['PUT', `/items/${w.id}`, JSON_TYPE, body], ['POST', '/items', JSON_TYPE, body], ['POST', '/items?upsert=true', LINES, body], ['PATCH', `/items/${w.id}`, PATCH, '{"properties":{}}'], ['DELETE', `/items/${w.id}`]]) {
                const [a, b] = [await send(url, who[role], method, `/collections/worker${at}`, type, text), await send(url, who[role], method, `/collections/${other}${at}`, type, text)];
                assert.deepEqual([a.status, a.text.replaceAll('worker', other)], [b.status, b.text], `${role} ${method}`);
                assert.equal(a.status, 404);
            }
        assert.deepEqual(plain((await askAs(url, who.admin.authorization.slice(7))(`/collections/worker/items/${w.id}`)).json()), w);
        // Positions are of workers.
        assert.equal((await send(url, who.keeper, 'POST', '/positions', LINES, '{}')).status, 404);
    });
});
