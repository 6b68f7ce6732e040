// rights_told.test.mjs - what changes is told to whoever sees it, and to nobody else.
//
// Plan
//   columns: to a role that does not see some columns, which are about nobody,
//   a row is written over in these alone: no ETag, no sequence of an answer and
//   no event is another; with one more column, or in place, all are
//   twice: so it is of a row that one group writes over several times
//   many: of rows that are written in one piece of thousands
//   areas: beside a border, what is written across it is no other ETag of a
//   tile that the border crosses, and no event; on this side both are, and of a
//   row that moves across it each side is told its own
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { askAs, bearer, makeSynthetic, rowsOf, token } from './roles.mjs';
import { tileX, tileY } from './sample.mjs';
import { serve } from './server.mjs';

const UNITS = ['grid', 'village', 'town', 'lon', 'lat'];

/** A row of a list as the feature that it was. */
function feature(row, more = {}) {
    const properties = {};
    for (const [name, value] of Object.entries(row)) if (!UNITS.includes(name) && name !== 'id' && value !== '') properties[name] = value;
    for (const name of ['floors', 'residents', 'severity', 'returned', 'checks_done', 'found']) if (name in properties) properties[name] = Number(properties[name]);
    return { type: 'Feature', id: row.id, geometry: { type: 'Point', coordinates: [Number(row.lon), Number(row.lat)] }, properties: { ...properties, ...more } };
}

/** A server with roles of the test's own: {ask: {role: ask}, send, tokens}. */
async function served(t, city, own, tokens) {
    const file = path.join(city, 'roles.json'), roles = JSON.parse(await readFile(file, 'utf8'));
    Object.assign(roles.roles, own);
    await writeFile(file, JSON.stringify(roles));
    const who = {};
    for (const [name, args] of Object.entries({ admin: ['admin'], ...tokens })) who[name] = await token(city, ...args);
    const { url } = await serve(t, city), ask = Object.fromEntries(Object.entries(who).map(([name, text]) => [name, askAs(url, text)]));
    const send = async (method, target, body, type = 'application/geo+json') => {
        const answer = await fetch(`${url}${target}`, { method, headers: { ...bearer(who.admin), 'content-type': type }, body: typeof body === 'string' ? body : JSON.stringify(body) });
        assert.ok(answer.ok, `${method} ${target}: ${answer.status} ${await answer.text()}`);
        return answer;
    };
    const put = (layer, row, more) => send('PUT', `/collections/${layer}/items/${row.id}`, feature(row, more));
    const patch = (layer, row, properties) => send('PATCH', `/collections/${layer}/items/${row.id}`, { type: 'Feature', properties }, 'application/merge-patch+json');
    return { url, ask, send, put, patch };
}

/** What a role learns of a layer without being told a row: ETags and sequences of tiles around a row, and what /changes says since. */
async function learns(ask, layer, row, since, levels = [12, 16, 18]) {
    const of = (z) => `${z}/${tileX(Number(row.lon), z)}/${tileY(Number(row.lat), z)}`;
    const targets = [...levels.flatMap((z) => [`/tiles/${layer}/${of(z)}.mvt`, `/tiles/${layer}/${of(z)}.png`]), `/stats/${layer}?by=village`];
    const answers = await Promise.all(targets.map((target) => ask(target)));
    for (const [i, a] of answers.entries()) assert.ok(a.status === 200 || a.status === 204, `${targets[i]}: ${a.status}`);
    const { layers, reset } = since === undefined ? { layers: {} } : (await ask(`/changes?since=${since}`)).json();
    assert.ok(!reset);
    return { tags: answers.map((a) => a.headers.etag), sequences: answers.map((a) => a.headers['data-sequence']), told: layers[layer], targets };
}
const sequence = async (ask) => (await ask('/changes?since=0')).json().next;

test('columns that a role does not see', async (t) => {
    const { city } = await makeSynthetic(t, 0.002), own = { clerk: { layers: ['*'], personal: 'rows', columns: { hazard: ['department', 'severity', 'status', 'reported'] }, export: true } };
    const { ask, put, patch, send } = await served(t, city, own, { clerk: ['clerk'] });
    const rows = (await rowsOf(city, 'hazard')).filter((row) => row.grid), [one, two, three] = rows, other = (row) => (row.severity === '1' ? 2 : 1);
    await learns(ask.clerk, 'hazard', one, await sequence(ask.admin));
    // From here on it is known who listens: a group has come since.
    await patch('hazard', three, { severity: other(three) });
    /** What changes for both, of row `row`. */
    const compare = async (row, change) => {
        const since = await sequence(ask.admin), before = { clerk: await learns(ask.clerk, 'hazard', row), admin: await learns(ask.admin, 'hazard', row) };
        await change();
        const out = {};
        for (const role of ['clerk', 'admin']) {
            const now = await learns(ask[role], 'hazard', row, since);
            out[role] = { told: now.told, tags: now.tags.map((tag, i) => tag !== before[role].tags[i]), sequences: now.sequences.map((n, i) => n !== before[role].sequences[i]), targets: now.targets };
        }
        return out;
    };
    const nothing = (of, why) => {
        assert.equal(of.told, undefined, why);
        assert.deepEqual(of.targets.filter((_, i) => of.tags[i]), [], `${why}: ETags`);
        assert.deepEqual(of.targets.filter((_, i) => of.sequences[i]), [], `${why}: sequences`);
    };
    const [x, y] = [tileX(Number(one.lon), 18), tileY(Number(one.lat), 18)], six = { rows: 1, level: 18, cells: [[x, y]] };
    for (const [why, change] of [
        ['patched', () => patch('hazard', one, { item: 'I007', handler: 'nobody' })],
        ['put whole', () => put('hazard', one, { item: 'I008', returned: 3 })],
        ['patched with what it was', () => patch('hazard', one, { item: 'I009', severity: Number(one.severity) })]]) {
        const { clerk, admin } = await compare(one, change);
        assert.deepEqual(admin.told, six, why);
        assert.ok(admin.tags[4], why);
        nothing(clerk, why);
    }
    for (const change of [() => patch('hazard', one, { severity: other(one) }), () => put('hazard', one, { item: 'I004' })]) {
        const { clerk, admin } = await compare(one, change);
        assert.deepEqual(clerk.told, six);
        assert.deepEqual(admin.told, six);
        for (const i of [0, 1, 2, 3, 4, 5]) assert.ok(clerk.tags[i], clerk.targets[i]);
    }
    await t.test('twice', async () => {
        // Some of them come in one group.
        const many = (body) => Promise.all(Array.from({ length: 24 }, (_, i) => patch('hazard', two, body(i))));
        const { clerk, admin } = await compare(two, () => many((i) => ({ item: `I0${10 + i}` })));
        assert.equal(admin.told.rows, 24);
        nothing(clerk, 'twice');
        const body = [1, 2, 3].map((n) => JSON.stringify(feature(two, { item: `I02${n}` }))).join('\n');
        const again = await compare(two, () => send('POST', '/collections/hazard/items?upsert=true', body, 'application/x-ndjson'));
        nothing(again.clerk, 'thrice in a write');
        const seen = await compare(two, () => many((i) => (i === 20 ? { item: 'I050', severity: other(two) } : { item: `I0${50 + i}` })));
        assert.ok(seen.clerk.told && seen.clerk.tags[4]);
    });
});
