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
//   kept: while rows are written at random, alone and by thousands, all keep
//   tiles by their ETags; in the end each has what a server that begins anew
//   gives, and nobody has more than that
//   walks: who is followed there is nothing to those here, until he comes
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import test from 'node:test';

import { MERGE } from './ask.mjs';
import { random } from './onemap.mjs';
import { askAs, bearer, features, makeSynthetic, rowsOf, token } from './roles.mjs';
import { tileX, tileY } from './sample.mjs';
import { serve } from './server.mjs';
import { untilWithin } from './until.mjs';

const until = untilWithin(60000);

const UNITS = ['grid', 'village', 'town', 'lon', 'lat'];

/** A row of a list as the feature that it was. */
function feature(row, more = {}) {
    const properties = {};
    for (const [name, value] of Object.entries(row)) if (!UNITS.includes(name) && name !== 'id' && value !== '') properties[name] = value;
    if ('model_house' in properties) properties.model_house = properties.model_house === 'true';
    for (const name of ['floors', 'residents', 'severity', 'returned', 'checks_done', 'found']) if (name in properties) properties[name] = Number(properties[name]);
    return { type: 'Feature', id: row.id, geometry: { type: 'Point', coordinates: [Number(row.lon), Number(row.lat)] }, properties: { ...properties, ...more } };
}

/** A listener of /changes: its events so far. */
function listen(t, url, who) {
    const ear = { events: [] };
    let text = '';
    const request = http.get(`${url}/changes`, { headers: { ...bearer(who), accept: 'text/event-stream' }, agent: false }, (answer) => {
        answer.on('data', (bytes) => {
            text += bytes;
            const whole = text.split('\n\n');
            text = whole.pop();
            for (const block of whole) {
                const lines = Object.fromEntries(block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]));
                if (lines.event) ear.events.push({ event: lines.event, data: JSON.parse(lines.data) });
            }
        });
        answer.on('error', () => {});
    });
    request.on('error', () => {});
    t.after(() => request.destroy());
    return ear;
}

/** A server with roles of the test's own: {ask: {role: ask}, send, tokens}. */
async function served(t, city, own, tokens) {
    const file = path.join(city, 'roles.json'), roles = JSON.parse(await readFile(file, 'utf8'));
    Object.assign(roles.roles, own);
    // Who asks all the time is not to be told to wait.
    for (const role of Object.values(roles.roles)) role.rate_per_s = 0;
    await writeFile(file, JSON.stringify(roles));
    const who = {};
    for (const [name, args] of Object.entries({ admin: ['admin'], ...tokens })) who[name] = await token(city, ...args);
    const { url, stop } = await serve(t, city), ask = Object.fromEntries(Object.entries(who).map(([name, text]) => [name, askAs(url, text)]));
    const send = async (method, target, body, type) => {
        const answer = await ask.admin(target, { method, body, type });
        assert.ok(answer.status < 300, `${method} ${target}: ${answer.status} ${answer.text()}`);
        return Number(answer.headers['data-sequence']);
    };
    const put = (layer, row, more) => send('PUT', `/collections/${layer}/items/${row.id}`, feature(row, more));
    const patch = (layer, row, properties) => send('PATCH', `/collections/${layer}/items/${row.id}`, { type: 'Feature', properties }, MERGE);
    return { url, stop, ask, send, put, patch, tokens: who };
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

test('what changes is told to whoever sees it', async (t) => {
    const { city } = await makeSynthetic(t, 0.002), border = across((await rowsOf(city, 'rental')).filter((row) => row.town));
    const own = {
        clerk: { layers: ['*'], personal: 'rows', columns: { hazard: ['department', 'severity', 'status', 'reported'], building: ['name', 'use', 'floors'] }, export: true },
        // By whom an area and hidden columns meet.
        guest: { layers: ['*'], personal: 'none', area: ['town'], export: true }
    };
    const workers = (await rowsOf(city, 'worker')).filter((row) => row.town);
    const { a, b } = border, officer = (level, unit) => ['officer', '--area', `${level}:${unit}`];
    const server = await served(t, city, own, { clerk: ['clerk'], a: officer('town', a.town), b: officer('town', b.town), village: officer('village', a.village), guest: ['guest', '--area', `town:${a.town}`] });
    await t.test('columns', (t) => columns(t, city, server));
    await t.test('areas', (t) => areas(t, border, server));
    await t.test('walks', () => walks(border, workers, server));
    await t.test('kept', (t) => kept(t, city, border, server));
});

/** To a clerk, who does not see what a report is about. */
async function columns(t, city, { ask, put, patch, send }) {
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
    await t.test('shapes', async () => {
        const [z, x, y] = [12, tileX(Number(one.lon), 12), tileY(Number(one.lat), 12)], { features: found } = (await ask.admin('/collections/building/items?limit=3')).json(), tags = async (role) => (await ask[role](`/tiles/building/${z}/${x}/${y}.mvt`)).headers.etag;
        const told = async (role, since) => (await ask[role](`/changes?since=${since}`)).json().layers.building, whole = (f, more, shape = f.geometry) => ({ type: 'Feature', id: f.id, geometry: shape, properties: { ...Object.fromEntries(Object.entries(f.properties).filter(([name]) => !UNITS.includes(name) && name !== 'id')), ...more } });
        for (const role of ['clerk', 'admin']) await told(role, await sequence(ask.admin));
        await patch('building', found[2], { floors: 9 });
        // Written again as it is, so that it has the vertices that it is written with.
        await send('PUT', `/collections/building/items/${found[0].id}`, whole(found[0], {}));
        const moved = { ...found[0].geometry, coordinates: JSON.parse(JSON.stringify(found[0].geometry.coordinates)) };
        for (let ring = moved.coordinates; ; ring = ring[0]) if (typeof ring[0][0] === 'number') { ring[1][0] += 0.00001; break; }
        for (const [body, hears] of [[whole(found[0], { residents: 41, built: 1999 }), false], [whole(found[0], { residents: 41, built: 1999, floors: 33 }), true], [whole(found[0], { residents: 41, built: 1999, floors: 33 }, moved), true]]) {
            const since = await sequence(ask.admin), before = await tags('clerk');
            await send('PUT', `/collections/building/items/${found[0].id}`, body);
            assert.ok((await told('admin', since)).cells.length > 0);
            assert.equal(Boolean(await told('clerk', since)), hears, JSON.stringify(body));
            if (!hears) assert.equal(await tags('clerk'), before);
        }
    });
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
}

/** The two rows of different towns that are nearest to each other, and the deepest tile that has both. */
function across(rows) {
    let best = { d: Infinity };
    for (const a of rows)
        for (const b of rows) {
            const d = Math.hypot(a.lon - b.lon, a.lat - b.lat);
            if (a.town < b.town && a.village && b.village && d < best.d) best = { d, a, b };
        }
    let z = 18;
    const at = (row) => `${z}/${tileX(Number(row.lon), z)}/${tileY(Number(row.lat), z)}`;
    while (at(best.a) !== at(best.b)) z--;
    return { a: best.a, b: best.b, z, tile: at(best.a), rows };
}

/** To officers of two towns, and of a village in one. */
async function areas(t, { a, b, z, tile, rows }, { url, ask, patch, send, tokens }) {
    assert.ok(z > 8, `the nearest rows across a border have a tile of zoom ${z}`);
    const roles = ['a', 'b', 'village', 'guest'], targets = [`/tiles/rental/${tile}.mvt`, `/tiles/rental/${tile}.png`, '/stats/rental?by=village', '/stats/rental?by=grid', `/tiles/heat:rental/${tile}.png?bandwidth=100`];
    const look = async (role) => (await Promise.all(targets.map((target) => ask[role](target)))).map((x) => `${x.headers.etag} ${x.headers['data-sequence']}`);
    const told = async (role, since) => { const { layers, reset } = (await ask[role](`/changes?since=${since}`)).json(); assert.ok(!reset); return layers.rental; };
    const coarse = { rows: 0, level: 0, cells: [[0, 0]] };
    for (const role of roles) await told(role, await sequence(ask.admin));
    await patch('rental', a, { residents: 7 });
    /** Who learns of a change? */
    const who = async (why, change, expected) => {
        const since = await sequence(ask.admin), before = Object.fromEntries(await Promise.all(roles.map(async (role) => [role, await look(role)])));
        await change();
        for (const role of roles) {
            const now = await look(role), other = targets.filter((_, i) => now[i] !== before[role][i]);
            if (!expected.includes(role)) assert.deepEqual([other, await told(role, since)], [[], undefined], `${why}: ${role} learns of it`);
            else {
                assert.deepEqual(await told(role, since), coarse, `${why}: ${role} is not told`);
                assert.ok(other.includes(targets[0]), `${why}: ${role} keeps ${other}`);
            }
        }
    };
    const level = (row) => (row.level === 'strict' ? 'warning' : 'strict'), house = (row, more = {}) => feature(row, more);
    await who('patched there', () => patch('rental', b, { level: level(b), residents: 9 }), ['b']);
    await who('open column there', () => patch('rental', b, { model_house: b.model_house !== 'true' }), ['b']);
    await who('patched here', () => patch('rental', a, { level: level(a) }), ['a', 'village']);
    await who('open column here', () => patch('rental', a, { model_house: a.model_house !== 'true' }), ['a', 'village', 'guest']);
    await who('made there', () => send('POST', '/collections/rental/items', { ...house(b), id: 'R-new' }), ['b']);
    await who('moved here', () => send('PUT', '/collections/rental/items/R-new', { ...house(a), id: 'R-new' }), ['a', 'b', 'village', 'guest']);
    await who('moved back', () => send('PUT', '/collections/rental/items/R-new', { ...house(b), id: 'R-new' }), ['a', 'b', 'village', 'guest']);
    await who('taken away there', () => send('DELETE', '/collections/rental/items/R-new'), ['b']);
    await who('made and gone at once', () => send('POST', '/collections/rental/items?upsert=true', [house(b), { ...house(b), id: 'R-x' }].map((f) => JSON.stringify(f)).join('\n'), 'application/x-ndjson'), ['b']);
    // Thousands in one piece, of which one is here.
    const elsewhere = rows.filter((row) => row.town !== a.town), pile = Array.from({ length: 5000 }, (_, i) => ({ ...house(elsewhere[i % elsewhere.length]), id: `B-${i}` }));
    const pour = (features) => send('POST', '/collections/rental/items?upsert=true', features.map((f) => JSON.stringify(f)).join('\n'), 'application/x-ndjson');
    await who('thousands there', () => pour(pile), ['b']);
    await who('thousands there again', () => pour(pile), ['b']);
    const leaves = () => pour([...pile.slice(2500), { ...house(b), id: 'B-here' }, ...pile.slice(0, 2500)]);
    await who('one of them here', () => pour([...pile, { ...house(a), id: 'B-here' }]), ['a', 'b', 'village', 'guest']);
    await who('and away', leaves, ['a', 'b', 'village', 'guest']);
    await who('thousands there once more', leaves, ['b']);
    // The stream says the same as it happens: who is not told of the first hears of the second only.
    const ears = Object.fromEntries([...roles, 'admin'].map((role) => [role, listen(t, url, tokens[role])]));
    for (const ear of Object.values(ears)) await until('a listener is there', () => ear.events.length);
    const heard = (role) => ears[role].events.filter((e) => e.event === 'change' && e.data.layers.rental).map((e) => e.data.sequence);
    const goes = async (change) => {
        const last = await change();
        await until('all is told', () => heard('admin').some((n) => n >= last));
        return last;
    };
    const begun = await goes(() => patch('rental', b, { residents: 12 }));
    const since = (role) => heard(role).filter((n) => n > begun);
    const first = await goes(() => patch('rental', b, { level: 'lenient', residents: 10 })), second = await goes(() => patch('rental', a, { model_house: a.model_house === 'true', residents: 11 }));
    for (const role of ['a', 'village', 'guest']) {
        await until(`${role} is told`, () => since(role).some((n) => n >= second));
        assert.ok(since(role).every((n) => n > first), `${role} hears of what is written there`);
    }
    await until('b is told', () => since('b').some((n) => n >= first && n < second));
    assert.ok(since('b').every((n) => n < second));
}

/** Of somebody of b's town who is followed. */
async function walks({ a, b, tile, z }, workers, { ask, send }) {
    const one = workers.find((w) => w.town === b.town), [lon, lat] = [Number(b.lon), Number(b.lat)], roles = ['a', 'b', 'village'];
    assert.ok(one, `nobody is in ${b.town}`);
    const targets = [`/tiles/worker/${tile}.mvt`, `/tiles/worker/${tile}.png`, '/stats/worker?by=village'];
    const look = async (role) => (await Promise.all(targets.map((target) => ask[role](target)))).map((x) => `${x.headers.etag} ${x.headers['data-sequence']}`);
    const told = async (role, since) => (await ask[role](`/changes?since=${since}`)).json().layers.worker;
    const { clock } = (await ask.admin('/?f=json')).json(), at = new Date(Date.parse(clock) - 3600e3);
    let fix = 0;
    /** A fix, and it is seen. */
    const walk = async (x, y) => {
        const before = (await look('admin')).join();
        fix++;
        await send('POST', '/positions', `${JSON.stringify({ worker: one.id, lon: x, lat: y, at: new Date(at.getTime() + 1000 * fix).toISOString(), on_duty: true })}\n`, 'application/x-ndjson');
        await until('the fix is seen', async () => (await look('admin')).join() !== before);
    };
    await walk(lon, lat);
    for (const role of roles) { await look(role); await told(role, await sequence(ask.admin)); }
    await walk(lon, lat);
    for (const [x, y, who] of [[lon, lat, ['b']], [Number(a.lon), Number(a.lat), ['a', 'b', 'village']], [Number(a.lon), Number(a.lat), ['a', 'village']], [lon, lat, ['a', 'b', 'village']]]) {
        const since = await sequence(ask.admin), before = Object.fromEntries(await Promise.all(roles.map(async (role) => [role, await look(role)])));
        await walk(x, y);
        for (const role of roles) {
            const now = await look(role), heard = await told(role, since), other = targets.filter((_, i) => now[i] !== before[role][i]);
            if (who.includes(role)) assert.ok(heard && other.length, `${role} is not told of who walks to ${x},${y}: ${other}`);
            else assert.deepEqual([heard, other], [undefined, []], `${role} learns of a walk in zoom ${z}`);
        }
    }
}

/** What all have in the end, who asked again by their ETags only. */
async function kept(t, city, { a, b, tile, rows }, { ask, send, stop, tokens }) {
    const next = random(11), pick = (list) => list[Math.floor(next() * list.length)], roles = ['a', 'b', 'village', 'guest', 'clerk', 'admin'];
    const targets = [a, b, ...rows.slice(0, 6)].flatMap((row) => [10, 14, 17].map((z) => `/tiles/rental/${z}/${tileX(Number(row.lon), z)}/${tileY(Number(row.lat), z)}.mvt`)).concat(`/tiles/rental/${tile}.mvt`, '/stats/rental?by=village');
    const have = Object.fromEntries(roles.map((role) => [role, new Map()]));
    let again = 0;
    const look = (role) => Promise.all(targets.map(async (target) => {
        const old = have[role].get(target), answer = await ask[role](target, { headers: old ? { 'if-none-match': old.tag } : {} });
        assert.ok([200, 204, 304].includes(answer.status), `${role} ${target}: ${answer.status} ${answer.text()}`);
        if (answer.status === 304) again++;
        else have[role].set(target, { tag: answer.headers.etag, body: answer.body });
    }));
    const one = async (i) => {
        const row = pick(rows), to = pick(rows), id = pick([`K-${i % 40}`, `K-${i % 40}`, row.id]), whole = { ...feature(next() < 0.5 ? row : to, { level: pick(['strict', 'warning', 'lenient']), residents: Math.floor(next() * 30), model_house: next() < 0.5 }), id };
        if (next() < 0.7) await send('POST', '/collections/rental/items?upsert=true', `${JSON.stringify(whole)}\n${JSON.stringify({ ...whole, id: `K-${(i + 1) % 40}` })}`, 'application/x-ndjson');
        else await send('POST', '/collections/rental/items?upsert=true', Array.from({ length: 4200 }, (_, k) => JSON.stringify({ ...feature(rows[k % rows.length], { level: pick(['strict', 'lenient']) }), id: `M-${k}` })).join('\n'), 'application/x-ndjson');
    };
    let writing = true;
    const looks = roles.map(async (role) => { while (writing) await look(role); });
    await Promise.all([0, 1, 2].map(async (n) => { for (let i = 0; i < 6; i++) await one(6 * n + i); }));
    writing = false;
    await Promise.all(looks);
    await Promise.all(roles.map(look));
    await stop();
    const { url } = await serve(t, city), seen = (target, body) => (target.startsWith('/stats') ? JSON.stringify(JSON.parse(body).groups) : features(body).map(([, f]) => JSON.stringify(f)).sort().join('\n'));
    for (const role of roles)
        for (const target of targets) assert.equal(seen(target, have[role].get(target).body), seen(target, (await askAs(url, tokens[role])(target)).body), `${role} has an old ${target}`);
    assert.ok(again > roles.length);
}
