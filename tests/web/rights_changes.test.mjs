// rights_changes.test.mjs - who does not see columns about persons does not hear of them either.
//
// Plan
//   quiet: a row of which nothing but such columns changed, patched or written
//   anew with all it has, is no event of /changes and no new ETag of a tile for
//   who does not see them, and is both for who does; one that changed in other
//   columns, too, or in place is for both
//   looks: nor of a picture that looks otherwise by such columns alone
//   restart: of what was written before a server began nobody is told where who
//   would not have been told of it
//   elsewhere: who has an area hears of visits there, and of no others
//   persons: a visit is no new ETag of tiles in which visits are counted
import assert from 'node:assert/strict';
import test from 'node:test';

import { MERGE } from './ask.mjs';
import { askAs, makeSynthetic, rowsOf, token } from './roles.mjs';
import { tileX, tileY } from './sample.mjs';
import { serve } from './server.mjs';
import { untilWithin } from './until.mjs';

const ROLES = ['wall', 'analyst', 'admin'], until = untilWithin(120e3);

test('changes of columns about persons', async (t) => {
    const { city } = await makeSynthetic(t, 0.002);
    const rentals = (await rowsOf(city, 'rental')).filter((row) => row.grid), visits = await rowsOf(city, 'visit'), [visit] = visits, officerOf = visits.find((v) => v.town).town;
    const who = Object.fromEntries(await Promise.all(ROLES.map(async (role) => [role, await token(city, role)])));
    who.officer = await token(city, 'officer', '--area', `town:${officerOf}`);
    let { url, stop } = await serve(t, city);
    const as = (role) => askAs(url, who[role]), send = async (method, target, body, type) => (await as('admin')(target, { method, body, type })).status;
    const sequence = async () => (await as('admin')('/changes?since=0')).json().next;
    const patch = async (id, properties) => assert.equal(await send('PATCH', `/collections/rental/items/${id}`, { type: 'Feature', properties }, MERGE), 200);
    /** What a role hears of rentals, and the tile's ETag, after what `change` does. */
    const heard = async (row, change) => {
        const z = 18, tile = `/tiles/rental/${z}/${tileX(Number(row.lon), z)}/${tileY(Number(row.lat), z)}`, out = {};
        const tags = async (role) => Promise.all([`${tile}.mvt`, `${tile}.png`].map(async (target) => (await as(role)(target)).headers.etag));
        const before = Object.fromEntries(await Promise.all(ROLES.map(async (role) => [role, await tags(role)])));
        const since = await sequence();
        await change();
        for (const role of ROLES) {
            const { layers, reset } = (await as(role)(`/changes?since=${since}`)).json(), after = await tags(role);
            assert.equal(reset, false);
            assert.ok(after.every((tag) => tag));
            out[role] = { told: layers.rental, tags: after.map((tag, i) => tag !== before[role][i]) };
        }
        return out;
    };
    const level = (row) => (row.level === 'strict' ? 'warning' : 'strict');
    const [one, two, three, four] = rentals;

    await t.test('quiet', async () => {
        const whole = async (row, more) => {
            const feature = (await as('admin')(`/collections/rental/items/${row.id}`)).json();
            for (const unit of ['grid', 'village', 'town']) delete feature.properties[unit];
            Object.assign(feature.properties, more);
            assert.equal(await send('PUT', `/collections/rental/items/${row.id}`, feature), 200);
        };
        for (const change of [() => patch(one.id, { level: level(one), residents: 77 }), () => whole(two, { level: level(two), residents: 78 })]) {
            const { admin, ...others } = await heard(one, change);
            assert.equal(admin.told.rows, 1);
            assert.equal(admin.told.level, 18);
            for (const [role, { told, tags }] of Object.entries(others)) {
                assert.equal(told, undefined, `${role} hears of a hidden column`);
                assert.deepEqual(tags, [false, false], `${role}: a hidden column is a new ETag`);
            }
        }
        assert.ok((await heard(one, () => patch(one.id, { residents: 76 }))).admin.tags[0]);
        const open = one.model_house === 'true' || one.model_house === true;
        for (const [row, change] of [[one, () => patch(one.id, { model_house: !open, level: one.level })], [three, () => whole(three, { model_house: three.model_house !== 'true', residents: 5 })]]) {
            const { admin, wall, analyst } = await heard(row, change);
            for (const { told, tags } of [admin, wall, analyst]) {
                assert.deepEqual(told, admin.told);
                assert.deepEqual(tags, [true, true]);
            }
            assert.equal(admin.told.rows, 1);
        }
        // Both at once: those who see all are told of all, the others of theirs.
        const { admin, wall } = await heard(one, async () => {
            await patch(four.id, { residents: 12 });
            await patch(one.id, { model_house: open });
        });
        assert.deepEqual([admin.told.rows, wall.told.rows, wall.told.cells.length], [2, 1, 1]);
        assert.ok(admin.told.cells.some((cell) => `${cell}` === `${wall.told.cells[0]}`));
        // A row that moves is told of, there and where it was.
        const moved = await heard(two, async () => {
            const feature = (await as('admin')(`/collections/rental/items/${two.id}`)).json();
            for (const unit of ['grid', 'village', 'town']) delete feature.properties[unit];
            feature.geometry.coordinates[0] += 0.01;
            assert.equal(await send('PUT', `/collections/rental/items/${two.id}`, feature), 200);
        });
        assert.equal(moved.wall.told.cells.length, 2);
    });
    await t.test('looks', async () => {
        // Whose picture looks otherwise is told a second later, of the whole layer. Twice, so that all pictures have been looked at.
        const begun = await sequence(), tile = `/tiles/rental/12/${tileX(Number(one.lon), 12)}/${tileY(Number(one.lat), 12)}.png`;
        for (const role of ROLES) assert.equal((await as(role)(tile)).status, 200);
        for (const other of ['of its own kind', one.level]) {
            const since = await sequence();
            await patch(one.id, { level: other });
            await until(`a look: ${other}`, async () => (await as('admin')(`/changes?since=${since}`)).json().layers.rental.level === 0);
        }
        for (const role of ['wall', 'analyst']) assert.equal((await as(role)(`/changes?since=${begun}`)).json().layers.rental, undefined, role);
    });
    await t.test('persons', async () => {
        const [x, y] = [tileX(Number(visit.lon), 10), tileY(Number(visit.lat), 10)], tag = async () => (await as('wall')(`/tiles/visit/10/${x}/${y}.mvt`)).headers.etag;
        const before = await tag(), stats = (await as('wall')('/stats/visit?by=town')).text();
        const { id, grid, village, town, lon, lat, ...properties } = visit;
        assert.equal(await send('POST', '/collections/visit/items', { type: 'Feature', id: 'V-new', geometry: { type: 'Point', coordinates: [Number(lon), Number(lat)] }, properties: { ...properties, checks_done: Number(properties.checks_done), found: Number(properties.found) } }), 201);
        assert.equal(await tag(), before);
        assert.equal((await as('wall')('/stats/visit?by=town')).text(), stats);
        assert.equal((await as('admin')(`/collections/visit/items/V-new`)).status, 200);
    });
    await t.test('elsewhere', async () => {
        // What somebody did in another unit the officer of this one does not hear of.
        const home = visits.find((v) => v.town === officerOf), away = visits.find((v) => v.town && v.town !== officerOf);
        const hears = async (role, since) => { const a = await as(role)(`/changes?since=${since}`); assert.equal(a.status, 200, a.text()); return a.json().layers.visit; };
        // From its first question on it is known what it is told of.
        await hears('officer', await sequence());
        let n = 0;
        for (const [v, told] of [[away, undefined], [home, { rows: 0, level: 0, cells: [[0, 0]] }]]) {
            const since = await sequence(), { id, grid, village, town, lon, lat, ...properties } = v, to = `V-el${n++}`;
            const row = { type: 'Feature', id: to, geometry: { type: 'Point', coordinates: [Number(lon), Number(lat)] }, properties: { ...properties, checks_done: Number(properties.checks_done), found: Number(properties.found) } };
            assert.equal(await send('POST', '/collections/visit/items', row), 201);
            assert.deepEqual(await hears('officer', since), told, `${v.town} at ${officerOf}`);
            for (const role of ['wall', 'admin']) assert.deepEqual(await hears(role, since), { rows: 0, level: 0, cells: [[0, 0]] }, 'others hear that there was one, not where');
            const then = await sequence();
            assert.equal(await send('DELETE', `/collections/visit/items/${to}`), 204);
            assert.deepEqual(await hears('officer', then), told);
        }
    });
    await t.test('restart', async () => {
        const since = await sequence();
        await patch(four.id, { residents: 13 });
        await stop();
        ({ url, stop } = await serve(t, city));
        const [admin, wall] = await Promise.all(['admin', 'wall'].map(async (role) => (await as(role)(`/changes?since=${since}`)).json().layers.rental));
        assert.equal(admin.rows, 1, JSON.stringify(admin));
        assert.ok(!wall || (wall.level === 0 && wall.cells.length === 1), JSON.stringify(wall));
    });
});
