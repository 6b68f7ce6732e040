// What coverage, catalog and rates tell those who may only count persons.
//
// Plan
//   oracle: the same questions by the command line, which has no roles
//   work: figures of units with few workers, or few houses, are null, those
//   beside them that would tell them by subtraction too; all others are true,
//   what follows from levels in tens; shares follow from what is told
//   patrol: counts below ten are null, others in tens; months only, so that no
//   two answers differ by fewer than ten; pictures obey, too
//   catalog: an officer's rows are those of the area
//   rates per resident: told by unit, null where few live, refused in a box
//   the wall's links lead to what its role may open
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { done } from './onemap.mjs';
import { askAs, csv, groupBy, makeSynthetic, rowsOf, token } from './roles.mjs';
import { serve } from './server.mjs';

const LEAST = 10, PARENT = { grid: 'village', village: 'town' };
const number = (text) => (text === '' || text === undefined ? null : Number(text));
const flat = (answer) => Object.fromEntries(answer.map((row) => [row.id, row]));

test('what coverage tells of few', async (t) => {
    const { city } = await makeSynthetic(t, 0.02);
    // Each visit is somebody here: of so few workers no village would be told
    // (rights_doers.test.mjs has those).
    const about = path.join(city, 'city.json'), manifest = JSON.parse(await readFile(about, 'utf8')), visits = manifest.layers.find((layer) => layer.name === 'visit');
    delete visits.person;
    visits.personal_columns = visits.personal_columns.filter((column) => column !== 'worker');
    await writeFile(about, JSON.stringify(manifest));
    const unitsOf = {};
    for (const level of ['town', 'village', 'grid']) unitsOf[level] = await rowsOf(city, level);
    const [{ id: town }] = unitsOf.town;
    const who = { wall: await token(city, 'wall'), analyst: await token(city, 'analyst'), admin: await token(city, 'admin'), officer: await token(city, 'officer', '--area', `town:${town}`) };
    const { url } = await serve(t, city);
    const as = Object.fromEntries(Object.entries(who).map(([name, text]) => [name, askAs(url, text)]));
    const table = async (role, target) => {
        const answer = await as[role](`${target}${target.includes('?') ? '&' : '?'}f=csv`);
        assert.equal(answer.status, 200, `${role} ${target}: ${answer.text().slice(0, 200)}`);
        return csv(answer.text());
    };
    const kept = new Map();
    /** What the command line says, asked once. */
    const exact = async (kind, ...options) => {
        const key = [kind, ...options].join(' ');
        if (!kept.has(key)) kept.set(key, csv(await done('coverage', city, kind, ...options, '--format', 'csv', '--quiet')));
        return kept.get(key);
    };
    /** Units by the one that they lie in. */
    const families = (level) => {
        const of = new Map();
        for (const u of unitsOf[level]) {
            const parent = PARENT[level] ? u[PARENT[level]] : 'city';
            of.set(parent, [...of.get(parent) ?? [], u.id]);
        }
        return of;
    };
    /** Whoever subtracts what is told from a sum that is told learns of many, in more than one. */
    const cannotSubtract = (level, count, hidden, aboveHidden, what) => {
        for (const [parent, ids] of families(level)) {
            const away = ids.filter((id) => hidden(id) && count(id) > 0);
            if (!away.length || aboveHidden(parent)) continue;
            const sum = away.reduce((n, id) => n + count(id), 0);
            assert.ok(away.length > 1 && sum >= LEAST, `${what} ${level} of ${parent}: ${sum} in ${away.length}`);
        }
    };
    const inTens = (told, is, what) => {
        if (is > 0 && is < LEAST) assert.equal(told, null, what);
        else if (told !== null) assert.ok(told % LEAST === 0 && Math.abs(told - is) <= LEAST / 2, `${what}: ${told} of ${is}`);
    };

    for (const role of ['wall', 'analyst'])
        await t.test(`${role}: work`, async () => {
            let above = { workers: () => false, houses: () => false };
            for (const level of ['town', 'village', 'grid']) {
                const is = flat(await exact('workload', '--by', level)), told = await table(role, `/coverage/workload?by=${level}`), by = flat(told);
                assert.equal(told.length, unitsOf[level].length);
                const LEVELS = Object.keys(told[0]).filter((c) => /^rental_/.test(c)), sums = ['owed', 'due', 'done'];
                const houses = (id) => number(is[id].rental) + number(is[id].premises);
                let hidden = 0;
                for (const row of told) {
                    const all = is[row.id], workers = number(all.workers), what = `${level} ${row.id}`;
                    assert.deepEqual([row.name, row.addresses, row.rental, row.premises], [all.name, all.addresses, all.rental, all.premises], what);
                    // What workers did is theirs, however much it is.
                    const few = row.workers === '' || workers === 0;
                    assert.equal(row.reports, few ? '' : all.reports, what);
                    if (few) assert.deepEqual([row.done, row.checks], ['', ''], what);
                    if (row.workers !== '') assert.equal(number(row.workers), workers, what);
                    if (workers > 0 && workers < LEAST) assert.equal(row.workers, '', what);
                    for (const column of [...LEVELS, ...sums]) {
                        inTens(number(row[column]), number(all[column]), `${what} ${column}`);
                        if (houses(row.id) > 0 && houses(row.id) < LEAST) assert.equal(row[column], '', `${what} ${column}`);
                    }
                    if (row.residents !== '') inTens(number(row.residents), number(all.residents), `${what} residents`);
                    if (number(all.addresses) < LEAST && number(all.addresses) > 0) assert.equal(row.residents, '', what);
                    // Nothing that has the number of workers in it.
                    if (row.workers === '') assert.deepEqual([row.checks_norm, row.value, row.ratio, row.rank, row.class, row.hidden], ['', '', '', '', '', 'true'], what);
                    else if (row.value !== '') assert.ok(Math.abs(number(row.value) - number(row.owed) / workers) < 1e-9, what);
                    hidden += row.hidden === 'true';
                }
                cannotSubtract(level, (id) => number(is[id].workers), (id) => by[id].workers === '', above.workers, 'workers');
                cannotSubtract(level, houses, (id) => by[id].owed === '' && (houses(id) < LEAST || number(is[id].owed) >= LEAST), above.houses, 'houses');
                above = { workers: (id) => by[id].workers === '', houses: (id) => by[id].owed === '' };
                assert.ok(hidden > 0 && (level !== 'town' || hidden < told.length), `${level}: ${hidden} of ${told.length}`);
                // Balances follow from what is told.
                const json = (await as[role](`/coverage/workload?by=${level}`)).json(), shown = told.filter((r) => r.value !== '');
                const { per_worker, count } = json.balance.owed;
                assert.equal(count, shown.length);
                if (count) assert.ok(Math.abs(per_worker - shown.reduce((n, r) => n + number(r.owed), 0) / shown.reduce((n, r) => n + number(r.workers), 0)) < 1e-9);
                const balances = await table(role, `/coverage/workload?by=${level}&balance=true`);
                for (const b of balances) for (const id of [b.most, b.least]) assert.ok(id === '' || by[id].workers !== '', `${b.level} ${b.measure}: ${id}`);
            }
            assert.equal((await as[role]('/coverage/workload?by=worker')).status, 404);
        });

    await t.test('who is in charge of them sees all', async () => {
        for (const level of ['town', 'village', 'grid'])
            assert.deepEqual(await table('admin', `/coverage/workload?by=${level}`), await exact('workload', '--by', level));
        assert.deepEqual(await table('admin', '/coverage/patrol?by=village'), await exact('patrol', '--by', 'village'));
        assert.ok((await table('officer', '/coverage/workload?by=grid')).every((r) => r.workers !== '' && !('hidden' in r)));
        assert.equal((await as.admin('/coverage/patrol?by=town&time=2023-05-01/2023-05-20&at=2023-06-01'.replace('time', 'datetime'))).status, 200);
    });

    for (const role of ['wall', 'analyst'])
        await t.test(`${role}: patrol`, async () => {
            const COUNTS = ['count', 'owed', 'due', 'done', 'missed', 'doubtful', 'ahead', 'extra', 'visits', 'overdue', 'never', 'unjudged'];
            for (const by of ['level', 'town', 'village', 'grid']) {
                const is = await exact('patrol', '--by', by), told = await table(role, `/coverage/patrol?by=${by}`);
                assert.equal(told.length, is.length);
                const key = (r) => `${r.id} ${r.layer} ${r.level}`, of = Object.fromEntries(is.map((r) => [key(r), r]));
                for (const row of told) {
                    const all = of[key(row)], rows = number(all.count);
                    if (row.hidden === 'true') assert.ok([...COUNTS, 'value', 'weighted', 'risk', 'rank'].every((c) => row[c] === ''), key(row));
                    else for (const c of COUNTS) inTens(number(row[c]), number(all[c]), `${by} ${key(row)} ${c}`);
                    if (rows > 0 && rows < LEAST) assert.equal(row.hidden, 'true', key(row));
                    assert.ok(!row.text.includes(` ${all.owed} `) || number(all.owed) % LEAST === 0, row.text);
                }
                if (by === 'level') continue;
                const at = flat(told), count = (id) => number(flat(is)[id]?.count) ?? 0;
                const above = PARENT[by] ? flat(await table(role, `/coverage/patrol?by=${PARENT[by]}`)) : {};
                cannotSubtract(by, count, (id) => at[id]?.hidden === 'true', (id) => above[id]?.hidden === 'true', 'patrol');
            }
            // What is weighed by levels follows from those that are told: none of them has few.
            const weights = Object.fromEntries(JSON.parse(await readFile(path.join(city, 'city.json'), 'utf8')).duty.targets.map((target) => [target.layer, target.risk]));
            const tens = (n) => Math.floor((n + LEAST / 2) / LEAST) * LEAST, few = (n) => n > 0 && n < LEAST;
            for (const by of ['town', 'village', 'grid']) {
                const apart = groupBy(await exact('patrol', '--by', by, '--levels'), (row) => row.id);
                let left = 0, known = 0;
                for (const row of await table(role, `/coverage/patrol?by=${by}`)) {
                    if (row.hidden === 'true' || !row.id) continue;
                    let [done, judged] = [0, 0];
                    for (const one of apart[row.id] ?? []) {
                        const n = Object.fromEntries(COUNTS.map((c) => [c, number(one[c]) ?? 0])), weight = weights[one.layer][one.level] ?? 1;
                        if ([n.count, n.due, n.done, n.missed].some(few)) { left++; continue; }
                        const due = tens(n.due), made = tens(n.done);
                        done += weight * made;
                        judged += weight * (due - Math.min(tens(n.doubtful), due - made));
                    }
                    known += judged > 0;
                    if (judged > 0) assert.ok(Math.abs(number(row.weighted) - done / judged) < 1e-9, `${by} ${row.id}: ${row.weighted}, not ${done / judged}`);
                    else assert.deepEqual([row.weighted, row.rank], ['', ''], `${by} ${row.id}`);
                }
                assert.ok(left && (known || by === 'grid'), `${by}: ${left} ${known}`);
            }
            // Two periods that are told never differ by fewer than ten.
            const months = ['2023-03', '2023-04', '2023-05'];
            for (const by of ['town', 'village']) {
                const each = await Promise.all(months.map((m) => table(role, `/coverage/patrol?by=${by}&month=${m}`)));
                const both = await table(role, `/coverage/patrol?by=${by}&datetime=2023-03/2023-05`);
                for (const list of [...each, both])
                    for (const row of list)
                        for (const [c, base] of [['owed', each[0]], ['done', each[0]]]) {
                            const other = number(flat(base)[row.id][c]), own = number(row[c]);
                            if (own !== null && other !== null) assert.equal(Math.abs(own - other) % LEAST, 0, `${row.id} ${c}`);
                        }
            }
            for (const kind of ['patrol', 'workload'])
                for (const [query, says] of [['datetime=2023-05-01/2023-05-20', /whole months/], ['datetime=2023-05-15/2023-06-15', /whole months/], ['datetime=2023-06', /whole months/],
                    ['at=2023-05-20', /another moment/], ['month=2023-05&at=2023-06-02', /another moment/], ['month=2023-06', /that are over/]]) {
                    const answer = await as[role](`/coverage/${kind}?by=town&${query}`);
                    assert.equal(answer.status, 400, `${kind} ${query}`);
                    assert.match(answer.text(), says);
                    assert.equal((await as.admin(`/coverage/${kind}?by=town&${query}`)).status, 200, `admin ${kind} ${query}`);
                }
            for (const stat of ['workload', 'patrol']) {
                const a = await as[role](`/tiles/choropleth:grid/11/1670/889.png?stat=${stat}&column=value`), b = await as.admin(`/tiles/choropleth:grid/11/1670/889.png?stat=${stat}&column=value`);
                assert.deepEqual([a.status, b.status], [200, 200], stat);
                if (stat === 'workload') assert.notDeepEqual(a.body, b.body, 'grids with few workers are not painted by their load');
            }
        });

    await t.test('rows of the area in catalog and collections', async () => {
        const layers = ['hazard', 'rental', 'village', 'grid', 'road'], rows = {};
        for (const layer of layers) rows[layer] = await rowsOf(city, layer);
        for (const role of ['officer', 'admin', 'analyst']) {
            const said = Object.fromEntries((await as[role]('/catalog')).json().layers.map((l) => [l.name, l.rows]));
            for (const c of (await as[role]('/collections')).json().collections) assert.equal(c.rows, said[c.id], c.id);
            for (const layer of layers) {
                const all = rows[layer], mine = all.filter((r) => !('town' in r) || r.town === town);
                assert.equal(said[layer], role === 'officer' ? mine.length : all.length, `${role} ${layer}`);
            }
        }
    });

    await t.test('rates per resident', async () => {
        for (const role of ['wall', 'analyst'])
            for (const by of ['town', 'village', 'grid']) {
                const told = (await as[role](`/stats/hazard?by=${by}&per=resident`)).json(), is = (await as.admin(`/stats/hazard?by=${by}&per=resident`)).json();
                const sums = Object.fromEntries((await as[role](`/stats/address?by=${by}&sum=residents`)).json().groups.map((g) => [g.id, g]));
                assert.deepEqual([told.exposure, told.rate], [is.exposure, is.rate]);
                told.groups.forEach((g, i) => {
                    if (!g.exposure_hidden) return assert.deepEqual(g, is.groups[i]);
                    assert.deepEqual([g.exposure, g.rate, g.rate_low, g.rate_high], [null, null, null, null]);
                    assert.ok(sums[g.id].hidden, 'no more is hidden, and no less, than where they are added up');
                });
                for (const g of told.groups) assert.equal(!!g.exposure_hidden, !!sums[g.id]?.hidden, `${by} ${g.id}`);
            }
        for (const target of ['/stats/hazard?by=town&per=resident&bbox=113.7,23,113.8,23.1', '/stats/hazard?by=department&per=resident', '/stats/hazard?per=resident&bbox=113.7,23,113.71,23.01'])
            assert.ok([400, 404].includes((await as.analyst(target)).status), target);
    });

    await t.test('the wall leads where its role may go', async () => {
        const { plan } = await import(path.resolve('web/pages/wall/plan.js'));
        // Of residents it is told for the whole city only: no link leads to units.
        const { parts, questions } = plan((await as.wall('/catalog')).json()), reach = questions.find((q) => q.key === parts.service.reach).url();
        assert.equal(parts.service.reachRows, undefined);
        assert.notEqual((await as.wall(`${reach}?by=village`)).status, 200);
        for (const target of [reach, `/coverage/service?people=address&by=village&worst=20`, '/coverage/patrol?by=village'])
            assert.equal((await as.wall(target)).status, 200, target);
        const whole = plan((await as.admin('/catalog')).json()).parts.service.reachRows;
        assert.match(whole, /coverage=service/);
        assert.equal((await as.admin(`${reach}?by=${new URLSearchParams(whole.split('#')[1]).get('units')}`)).status, 200);
    });
});
