// What whoever writes does not see stays as it was.
//
// Plan
//   what was got can be sent: PUT and upserts, alone and many, as Features, lines
//   and tables, of a role that does not see all columns, leave the hidden ones
//   what is given is written, by programs of the machine also in the place of what
//   is hidden, and a patch of theirs takes a hidden value away where it says so;
//   who has a token cannot name it (rights_unseen.test.mjs)
//   a row that was written just now, in the same batch, too; a new one has none
//   who feeds a layer that they do not see writes it whole
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { CSV, LINES, MERGE } from './ask.mjs';
import { askAs, csv, makeSynthetic, rowsOf, token } from './roles.mjs';
import { serve } from './server.mjs';

const HIDDEN = ['level', 'level_since', 'residents'];

test('what was got can be sent, and what is hidden stays', async (t) => {
    const { city } = await makeSynthetic(t, 0.001), at = path.join(city, 'roles.json'), roles = JSON.parse(await readFile(at, 'utf8'));
    Object.assign(roles.roles, { clerk: { layers: ['*'], personal: 'counts', write: ['rental'], export: true }, lister: { layers: ['*'], personal: 'rows', columns: { rental: ['id', 'address', 'model_house'] }, write: ['rental'], export: true } });
    await writeFile(at, JSON.stringify(roles));
    const before = await rowsOf(city, 'rental');
    assert.ok(before.length > 60 && before.every((row) => row.level));
    const same = async (but = {}) => {
        const now = Object.fromEntries((await rowsOf(city, 'rental')).map((row) => [row.id, row]));
        for (const row of before) assert.deepEqual(now[row.id], { ...row, ...but[row.id] }, row.id);
        return now;
    };
    const items = '/collections/rental/items', ids = before.map((row) => row.id);
    // Who shows no token, where there are none; then two roles.
    for (const [n, role] of [null, 'clerk', 'lister'].entries()) {
        const who = role && await token(city, role), server = await serve(t, city), as = askAs(server.url, who), mine = ids.slice(20 * n, 20 * n + 20);
        const ask = (method, target, body, type) => as(target, { method, body, type });
        const got = async (id) => (await as(`${items}/${id}`)).json();
        for (const id of mine.slice(0, 3)) {
            const row = await got(id);
            for (const column of HIDDEN) assert.ok(!(column in row.properties), column);
            assert.equal((await ask('PUT', `${items}/${id}`, row)).status, 200);
        }
        const many = await Promise.all(mine.slice(3, 12).map(got)), upsert = `${items}?upsert=true`;
        assert.equal((await ask('POST', upsert, { type: 'FeatureCollection', features: many.slice(0, 3) })).status, 200);
        assert.equal((await ask('POST', upsert, [...many.slice(3, 6), many[3]].map((row) => JSON.stringify(row)).join('\n'), LINES)).status, 200);
        const table = (await as(`${items}.csv`)).text(), lines = csv(table).filter((row) => many.slice(6).some((one) => one.id === row.id)), heads = Object.keys(lines[0]).filter((name) => !['grid', 'village', 'town'].includes(name));
        assert.ok(lines.length === 3 && !HIDDEN.some((column) => heads.includes(column)));
        assert.equal((await ask('POST', upsert, [heads.join(','), ...lines.map((row) => heads.map((name) => `"${row[name]}"`).join(','))].join('\n') + '\n', CSV)).status, 200);
        await same();
        // What is given is written; what is seen and not given is nothing.
        const [one, two] = await Promise.all(mine.slice(12, 14).map(got)), model = String(one.properties.model_house !== true);
        one.properties.model_house = model === 'true';
        delete two.properties.model_house;
        if (!role) two.properties.level = 'warning';
        for (const row of [one, two]) assert.equal((await ask('PUT', `${items}/${row.id}`, row)).status, 200);
        assert.equal((await ask('PATCH', `${items}/${mine[14]}`, { properties: { residents: null } }, MERGE)).status, 200);
        const fresh = { ...one, id: `new-${n}`, properties: { ...one.properties, id: `new-${n}` } };
        assert.equal((await ask('PUT', `${items}/new-${n}`, fresh)).status, 201);
        const changed = { [one.id]: { model_house: model }, [two.id]: { model_house: '', ...!role && { level: 'warning' } }, [mine[14]]: role ? {} : { residents: '' } };
        const now = await same(changed);
        assert.ok(HIDDEN.every((column) => !now[`new-${n}`][column]));
        for (const [id, more] of Object.entries(changed)) Object.assign(before.find((row) => row.id === id), more);
        await server.stop();
    }
    const feed = await token(city, 'ingest'), { url } = await serve(t, city), last = before.at(-1), whole = { type: 'Feature', id: last.id, geometry: { type: 'Point', coordinates: [Number(last.lon), Number(last.lat)] }, properties: { address: last.address } };
    assert.equal((await askAs(url, feed)(`${items}/${last.id}`, { method: 'PUT', body: whole })).status, 200);
    assert.equal((await rowsOf(city, 'rental')).find((row) => row.id === last.id).level, '');
});
