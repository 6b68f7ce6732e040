// release_attack.test.mjs - whoever holds a release, and an older one, and the
// outlines, tries to learn what is not told.
//
// Plan
//   every figure is the rounded count of the city's rows, of a region with
//   enough addresses and enough of everything
//   topics, periods, regions and releases subtracted from each other leave no
//   small number; the same attack on figures by grid finds many
//   no count of a grid or village that is small follows from all sums together
//   whoever knows all incidents but those at one place cannot tell how many
//   there are at it
//   every question to the server gives sums of published figures
//   strings of the register are nowhere in the bytes, packed or not
//   statistics that would tell more are refused, by whichever way
//   what is too rare is held back; what was told is minded from then on
//   rows that were mended or withdrawn change no figure that was told
//   a publisher that is killed leaves the release as it was, or a new one
import assert from 'node:assert/strict';
import { cp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test, { after, before } from 'node:test';

import { done, killedAfter, onemap } from './onemap.mjs';
import { ADDRESSES, bounds, figures, INCIDENTS, makeCity, publish, round, squares, table } from './release_sample.mjs';
import { get, run } from './sample.mjs';
import { serve } from './server.mjs';

/** Topics as the test counts them, periods as the test cuts them. */
const COUNTED = {
    hazard: () => true,
    serious: (r) => Number(r.severity) >= 3,
    grave: (r) => Number(r.severity) >= 2,
    returned: (r) => Number(r.returned) >= 1,
};
const day = (text) => Date.parse(`${text}T00:00:00+08:00`);
const SPAN = {
    '2023-02': [day('2023-02-01'), day('2023-03-01')], '2023-03': [day('2023-03-01'), day('2023-04-01')], '2023-04': [day('2023-04-01'), day('2023-05-01')],
    '2023-05': [day('2023-05-01'), day('2023-06-01')], '2023-W23': [day('2023-06-05'), day('2023-06-12')],
    '2023-W24': [day('2023-06-12'), day('2023-06-19')],
};
const statistic = (topic, periods, filter = '', more = {}) => ({
    topic, layer: 'hazard', unit: 'grid', periods, filter, approved_by: '甲部门', approved_on: '2023-06-20', ...more });

let made, hazards, addresses, first, second, plan1, plan2;
const reports = new Map();  // by period and grid

before(async () => {
    made = await makeCity();
    hazards = made.hazards;
    addresses = new Map();
    for (const row of made.addresses) addresses.set(row.grid, (addresses.get(row.grid) ?? 0) + 1);
    for (const [period, [from, to]] of Object.entries(SPAN))
        for (const r of hazards) {
            const at = `${period} ${r.grid}`;
            if (r.at >= from && r.at < to) reports.set(at, [...reports.get(at) ?? [], r]);
        }
    // Regions are for good: the first are made with room for months and weeks
    // that have fewer reports.
    plan1 = { ...made.plan, limits: { incidents: 20 }, statistics: [
        statistic('hazard', ['2023-03', '2023-04', '2023-05']), statistic('serious', ['2023-05'], 'severity >= 3')] };
    plan2 = { ...made.plan, statistics: [
        statistic('hazard', ['2023-04', '2023-05', '2023-W23', '2023-W24', '2023-02']),
        // Of April the first has told already, and of March, not of these.
        statistic('grave', ['2023-04', '2023-02'], 'severity >= 2'), statistic('returned', ['2023-05', '2023-03'], 'returned >= 1'),
        // In a week there are too few of them.
        statistic('slight', ['2023-W23'], 'severity = 1 AND returned >= 1')] };
    // The attacker keeps a copy of the first; the second takes its place.
    const out = path.join(made.dir, 'release');
    first = { out: path.join(made.dir, 'first'), ...await publish(made, out, plan1) };
    assert.equal(first.status, 0, first.stderr);
    await cp(out, first.out, { recursive: true });
    second = { out, ...await publish(made, out, plan2, '--replace', '--withdraw') };
    assert.equal(second.status, 0, second.stderr);
    for (const r of [first, second]) {
        await done('verify', r.out);
        r.figures = await figures(r.out, 'hazard', 'grid');
    }
});
after(() => rm(made.dir, { recursive: true, force: true }));

const rowsOf = (cells, period, takes) => [...cells].flatMap((c) => (reports.get(`${period} ${c}`) ?? []).filter(takes));
const count = (cells, period, takes) => rowsOf(cells, period, takes).length;

test('figures are the rounded counts of regions that are large enough', () => {
    const TOLD = [['hazard 2023-03', 'hazard 2023-04', 'hazard 2023-05', 'serious 2023-05'],
        ['grave 2023-02', 'hazard 2023-02', 'hazard 2023-04', 'hazard 2023-05', 'hazard 2023-W23', 'hazard 2023-W24']];
    for (const [release, listed] of [[first, TOLD[0]], [second, TOLD[1]]]) {
        const told = new Set(release.figures.map((f) => `${f.topic} ${f.period}`));
        assert.deepEqual([...told].sort(), listed);
        const regions = new Set(release.figures.map((f) => f.region));
        assert.ok(regions.size > 20, `${regions.size} regions`);
        assert.equal(release.figures.length, regions.size * told.size);
        for (const f of release.figures) {
            const cells = new Set(f.cells), n = count(cells, f.period, COUNTED[f.topic]);
            assert.ok(n >= INCIDENTS, `${f.region} ${f.topic} ${f.period}: ${n}`);
            assert.equal(f.value, round(n));
            assert.ok(f.cells.reduce((s, c) => s + (addresses.get(c) ?? 0), 0) >= ADDRESSES);
        }
    }
});

/** Pairs of published sums of which one follows from the other by subtracting;
 * how many are left between them, where that is small and not always nothing. */
function leaks(published) {
    const found = [];
    const sets = [...new Map(published.map((f) => [f.cells.join(), f.cells])).values()].map((cells) => new Set(cells));
    const cellsOf = (f) => sets.find((s) => s.size === f.cells.length && f.cells.every((c) => s.has(c)));
    const by = Map.groupBy ? (list, of) => Map.groupBy(list, of)
        : (list, of) => list.reduce((m, x) => m.set(of(x), [...(m.get(of(x)) ?? []), x]), new Map());
    for (const [period, list] of by(published, (f) => f.period)) {
        const topics = [...new Set(list.map((f) => f.topic))];
        const always = new Map();
        const everywhere = new Set(hazards.map((r) => r.grid));
        const left = (a, b) => (r) => COUNTED[a](r) && !COUNTED[b](r);
        for (const a of topics) for (const b of topics) always.set(`${a}-${b}`, count(everywhere, period, left(a, b)) === 0);
        const regions = [...by(list, (f) => f.cells.join()).values()];
        for (const here of regions) {
            const cells = cellsOf(here[0]);
            for (const f of here)  // topics of one region
                for (const g of here) {
                    if (f.topic === g.topic || always.get(`${f.topic}-${g.topic}`)) continue;
                    const n = count(cells, period, left(f.topic, g.topic));
                    if (n < INCIDENTS) found.push(`${period} ${f.topic} less ${g.topic}: ${n}`);
                }
            for (const other of regions) {  // a region less what it holds of another release
                const less = cellsOf(other[0]);
                if (other === here || less.size >= cells.size || ![...less].every((c) => cells.has(c))) continue;
                const rest = new Set([...cells].filter((c) => !less.has(c)));
                for (const f of here) {
                    if (!other.some((g) => g.topic === f.topic)) continue;
                    const n = count(rest, period, COUNTED[f.topic]);
                    if (n < INCIDENTS) found.push(`${period} ${f.topic} of a region less another: ${n}`);
                }
            }
        }
    }
    return found;
}

test('subtracting topics, regions and releases leaves no small number', () => {
    assert.deepEqual(leaks(first.figures), []);
    assert.deepEqual(leaks(second.figures), []);
    // Both: regions of the second are those of the first.
    const together = new Map(second.figures.map((f) => [f.region, new Set(f.cells)]));
    for (const f of first.figures) assert.deepEqual([...together.get(f.region)], f.cells);
    // A topic of the first is told of each region of the second by adding up.
    const added = [];
    for (const [region, cells] of together)
        for (const one of new Map(first.figures.map((f) => [`${f.topic} ${f.period}`, f])).values())
            added.push({ ...one, region, cells: [...cells], value: 0 });
    assert.deepEqual(leaks([...second.figures, ...added]), []);
    assert.deepEqual(leaks([...first.figures, ...second.figures]), []);
});

test('the same attack on figures that nobody merged finds many', () => {
    const grids = [...addresses.keys()].map((grid) => ({ region: grid, cells: [grid] }));
    const bare = plan1.statistics.flatMap((s) => s.periods.flatMap((period) => grids.map((g) => ({ ...g, topic: s.topic, period }))));
    assert.ok(leaks(bare).length > 10, `${leaks(bare).length}`);
    // Two cuts of one thing, neither with a small number in it.
    const of = (grid) => count([grid], '2023-05', COUNTED.hazard), grids05 = [...addresses.keys()].sort((a, b) => of(a) - of(b));
    const one = (cells) => ({ topic: 'hazard', period: '2023-05', region: cells.join(), cells });
    assert.ok(of(grids05[0]) < INCIDENTS && of(grids05.at(-1)) >= INCIDENTS);
    assert.deepEqual(leaks([one([grids05[0], grids05.at(-1)])]), []);
    assert.equal(leaks([one([grids05[0], grids05.at(-1)]), one([grids05.at(-1)])]).length, 1);
});

/** All that is known of hazards, with the rules of publishing: bounds of sums. */
function knowledge(published) {
    return published.flatMap((f) => [
        { cells: f.cells, period: f.period, topic: (set) => set.split('+').includes(f.topic), low: Math.max(INCIDENTS, f.value - 2), high: f.value + 2 }]);
}
function classesOf(published) {
    const out = new Map();
    for (const period of new Set(published.map((f) => f.period))) {
        const topics = [...new Set(published.filter((f) => f.period === period).map((f) => f.topic))], sets = new Set();
        const [from, to] = SPAN[period];
        for (const r of hazards)
            if (r.at >= from && r.at < to) {
                const set = topics.filter((t) => COUNTED[t](r)).join('+');
                if (set) sets.add(set);
            }
        out.set(period, [...sets]);
    }
    return out;
}

/** Small counts that follow exactly: of a grid, and of all grids of a village. */
function reconstructed(published) {
    const classes = classesOf(published), { unknown, key } = bounds(knowledge(published), classes), found = [];
    const villages = new Map(hazards.map((r) => [r.grid, r.village]));
    const groups = new Map();
    for (const [period, sets] of classes)
        for (const grid of addresses.keys())
            for (const set of sets) {
                const u = unknown.get(key(period, grid, set));
                if (!u) continue;
                const n = count(new Set([grid]), period, (r) => sets.includes(set) &&
                    set.split('+').every((t) => COUNTED[t](r)) && [...new Set(sets.flatMap((s) => s.split('+')))].every((t) => set.split('+').includes(t) || !COUNTED[t](r)));
                assert.ok(u.low <= n && n <= u.high, `${period} ${grid} ${set}: ${u.low} <= ${n} <= ${u.high}`);
                if (n < INCIDENTS && n > 0 && u.low === u.high) found.push(`${period} ${grid} ${set}`);
                const at = `${period} ${villages.get(grid)} ${set}`, group = groups.get(at) ?? { low: 0, high: 0, n: 0 };
                groups.set(at, { low: group.low + u.low, high: group.high + u.high, n: group.n + n });
            }
    for (const [at, g] of groups) if (g.n < INCIDENTS && g.n > 0 && g.low === g.high) found.push(at);
    return found;
}

test('no small count of a grid or a village follows from all sums together', () => {
    assert.deepEqual(reconstructed(first.figures), []);
    assert.deepEqual(reconstructed(second.figures), []);
    assert.deepEqual(reconstructed([...first.figures, ...second.figures]), []);
    // Exact sums by grid would give all of them.
    const exact = [...addresses.keys()].map((grid) => ({ cells: [grid], period: '2023-05', topic: () => true,
        low: count(new Set([grid]), '2023-05', () => true), high: count(new Set([grid]), '2023-05', () => true) }));
    const { unknown, key } = bounds(exact, new Map([['2023-05', ['hazard']]]));
    assert.ok([...addresses.keys()].every((grid) => { const u = unknown.get(key('2023-05', grid, 'hazard')); return u.low === u.high; }));
});

test('who knows every incident but those of one place cannot tell how many it has', () => {
    for (const release of [first, second])
        for (const f of release.figures) {
            const rows = rowsOf(f.cells, f.period, COUNTED[f.topic]), places = new Map();
            for (const r of rows) places.set(`${r.lon},${r.lat}`, (places.get(`${r.lon},${r.lat}`) ?? 0) + 1);
            for (const n of places.values()) {
                const others = rows.length - n, low = Math.max(0, f.value - 2 - others), high = f.value + 2 - others;
                assert.ok(low <= n && n <= high && low < high, `${low} ${n} ${high}`);
            }
        }
});

test('whatever the server is asked, it adds up published figures', async (t) => {
    const { url } = await serve(t, second.out);
    const ask = async (query) => (await get(`${url}/stats/hazard_statistic?${query}`)).json();
    const all = (await ask('sum=value')).sum;
    assert.equal(all, second.figures.reduce((s, f) => s + f.value, 0));
    const filter = (text) => `filter=${encodeURIComponent(text)}`;
    for (const query of ['by=hazard_region&sum=value', 'by=topic&sum=value', 'by=period&sum=value', 'by=value&sum=value', 'by=month&sum=value',
        `by=hazard_region&sum=value&${filter("topic = 'grave'")}`, `sum=value&${filter('value < 10')}`, 'bbox=113.7,22.9,113.8,23&sum=value',
        'datetime=2023-05-01/2023-05-02&sum=value', `sum=value&${filter("S_INTERSECTS(geom, BBOX(113.7,22.9,113.71,22.91))")}`]) {
        const answer = await ask(query);
        assert.equal(answer.sum % 5, 0, query);
        for (const group of answer.groups ?? []) assert.equal(group.sum % 5, 0, query);
    }
    // Nothing says in which grid or village the point of a region lies.
    for (const by of ['grid', 'village', 'town']) assert.equal((await get(`${url}/stats/hazard_statistic?by=${by}`)).status, 400);
    assert.equal(second.figures.filter((f) => f.value < 5 || f.value % 5).length, 0);
    const picture = await get(`${url}/tiles/choropleth:hazard_region/11/1670/889.png?layer=hazard_statistic&stat=sum&column=value&${filter("topic = 'hazard' AND period = '2023-05'")}`);
    assert.equal(picture.status, 200);
    assert.match((await get(`${url}/tiles/hazard_region/11/1670/889.mvt`)).headers['content-type'] ?? '204', /vector|204/);
    const start = (await get(`${url}/?f=json`)).json();
    assert.deepEqual(start.release.statistics.map((s) => s.topic), ['hazard', 'grave']);
    assert.deepEqual(start.release.earlier.map((s) => s.topic), ['hazard', 'serious']);
});

test('strings of the register are nowhere in its bytes', async (t) => {
    // A token, a key and a row that a server was given, then published.
    const source = path.join(made.dir, 'synth'), living = path.join(made.dir, 'living');
    const token = 'token-of-those-in-charge-7351', tokens = path.join(made.dir, 'token');
    await done('synth', source, '--scale', '0.002', '--quiet');
    await done('import', living, '--all', source, '--quiet');
    await writeFile(tokens, token);
    const { url, stop } = await serve(t, living, '--in-charge-token-file', tokens);
    const body = JSON.stringify({ type: 'Feature', id: 'H-SECRET-ROW', geometry: { type: 'Point', coordinates: [113.76, 23.04] },
        properties: { severity: 2, reported: '2023-05-05T12:00:00+08:00', department: '某部门绝密' } });
    const answer = await fetch(`${url}/collections/hazard/items`, { method: 'POST', body,
        headers: { 'Content-Type': 'application/geo+json', Authorization: `Bearer ${token}`, 'Idempotency-Key': 'key-of-a-write-9482' } });
    assert.equal(answer.status, 201);
    await stop();
    const out = path.join(made.dir, 'searched');
    const plan = JSON.parse(await readFile(path.join(living, 'publish.json'), 'utf8'));
    const { status, stderr, report } = await publish({ ...made, city: living }, out, plan);
    assert.equal(status, 0, stderr);
    assert.ok(report.statistics.some((s) => !s.held_back));

    const files = (await readdir(out, { recursive: true, withFileTypes: true })).filter((f) => f.isFile()).map((f) => path.join(f.parentPath ?? f.path, f.name));
    const tool = path.join(made.dir, 'frames');
    await run(process.env.CC ?? 'cc', ['-o', tool, path.join(import.meta.dirname, 'frames.c'), '-lzstd']);
    await run('sh', ['-c', `"${tool}" ${files.map((f) => `"${f}"`).join(' ')} > "${tool}.out"`]);
    const haystacks = [await readFile(`${tool}.out`), ...await Promise.all(files.map((f) => readFile(f)))];
    const all = Buffer.concat(haystacks), seen = (needle) => all.includes(needle);
    // The search finds what is there: packed names, plain words, texts of JSON.
    const centre = table(await done('query', out, 'service_centre', '--format', 'csv'))[3];
    assert.ok(haystacks[0].length > 10000);
    for (const there of [centre.name, centre.opening_hours, '政法委网格中心', 'hazard_region', '合成']) assert.ok(seen(there), there);

    const inside = new Map();
    for (const [layer, columns] of [['address', ['id', 'text', 'building']], ['rental', ['id']], ['worker', ['id']], ['business', ['id', 'name']],
        ['premises', ['id', 'name']], ['hazard', ['id', 'department', 'handler', 'worker', 'target_id']], ['visit', ['id']], ['building', ['id']], ['appeal', ['id']], ['tip', ['id']]])
        for (const row of table(await done('query', living, layer, '--format', 'csv')))
            for (const column of columns) if (row[column]?.length > 3) inside.set(row[column], `${layer}.${column}`);
    // What the plan and the city say of layers is public, such as who keeps them.
    const said = `${JSON.stringify(plan)}${await readFile(path.join(out, 'city.json'), 'utf8')}`;
    for (const [, text] of said.matchAll(/"((?:[^"\\]|\\.)*)"/g)) inside.delete(text);
    // A road may be numbered like a house.
    for (const { layer } of plan.layers) for (const row of table(await done('query', living, layer, '--format', 'csv'))) inside.delete(row.id);
    // Every value of every row, as the program reads it.
    let values = 0;
    for (const layer of JSON.parse(await readFile(path.join(out, 'city.json'), 'utf8')).layers)
        for (const row of table(await done('query', out, layer.name, '--format', 'csv')))
            for (const value of Object.values(row)) {
                values++;
                assert.equal(inside.get(value), undefined, `${layer.name}: ${value}`);
            }
    assert.ok(values > 20000 && inside.size > 50000, `${values} ${inside.size}`);
    // And the bytes, of a part of them, so that it takes seconds.
    const texts = [...inside.keys()], step = Math.ceil(texts.length / 200);
    const sampled = [...texts.filter((_, i) => i % step === 0), token, 'key-of-a-write-9482', 'H-SECRET-ROW', '某部门绝密', 'Idempotency', made.dir];
    for (const text of sampled) assert.ok(!seen(text), `${inside.get(text)}: ${text}`);
});

test('columns about single persons are in no release', async () => {
    const city = path.join(made.dir, 'marked'), file = path.join(city, 'city.json');
    await cp(made.city, city, { recursive: true });
    const marked = JSON.parse(await readFile(file, 'utf8')), about = (name) => marked.layers.find((l) => l.name === name);
    Object.assign(about('town'), { personal_columns: ['name'] });
    Object.assign(about('hazard'), { personal_columns: ['handler'], person: 'returned' });
    await writeFile(file, JSON.stringify(marked));
    const town = (plan) => plan.layers.find((l) => l.layer === 'town');
    for (const [change, says] of [
        [() => {}, /column 'name' of town can never be public: .* single persons/],
        [(plan) => Object.assign(town(plan), { columns: ['id'], filter: "name LIKE 'town%'" }), /filter speaks of name, which city\.json says is about single persons/],
        [(plan) => { town(plan).columns = ['id']; plan.statistics[0].filter = "handler = 'east'"; }, /cannot speak of handler: it is about single persons/],
        [(plan) => { town(plan).columns = ['id']; plan.statistics[0].filter = 'returned >= 1 OR severity > 2'; }, /cannot speak of returned: it is about single persons/]]) {
        const plan = structuredClone(plan1), out = path.join(made.dir, 'refused');
        change(plan);
        const { status, stderr } = await publish({ ...made, city }, out, plan);
        assert.match(stderr, says);
        assert.equal(status, 1, String(says));
    }
    const plan = structuredClone(plan1), out = path.join(made.dir, 'unmarked');
    town(plan).columns = ['id'];
    assert.equal((await publish({ ...made, city }, out, plan)).status, 0);
});

test('statistics that would tell more are refused', async () => {
    const refused = async (change, says) => {
        const plan = structuredClone(plan1), out = path.join(made.dir, 'refused');
        change(plan);
        const { status, stderr } = await publish(made, out, plan);
        assert.equal(status, 1, String(says));
        assert.match(stderr, says);
    };
    const one = (changes) => (plan) => Object.assign(plan.statistics[0], changes);
    for (const layer of ['rental', 'visit', 'worker', 'address'])
        await refused(one({ layer }), new RegExp(`${layer} can never be public`));
    await refused(one({ layer: 'wishes' }), /wishes can never be public/);
    await refused(one({ layer: 'shop' }), /shop has no time column/);
    await refused(one({ filter: "target_layer = 'rental'" }), /cannot speak of target_layer/);
    await refused(one({ filter: "handler = 'rental'" }), /speaks of rental, which can never be public/);
    await refused(one({ filter: "worker = 'G00001'" }), /cannot speak of worker/);
    await refused(one({ filter: "id = 'H1'" }), /cannot speak of id/);
    await refused(one({ filter: "target_id LIKE 'R%'" }), /cannot speak of target_id/);
    await refused(one({ filter: "grid = 'grid0101'" }), /cannot speak of grid/);
    await refused(one({ filter: "reported < DATE('2023-05-02')" }), /cannot speak of reported/);
    await refused(one({ filter: 'S_INTERSECTS(geom, BBOX(113,22,114,23))' }), /speaks of a place/);
    await refused(one({ filter: 'severity >' }), /filter of topic hazard/);
    // A filter is told as it is written: in words of the rows only.
    await refused(one({ filter: "handler <> 'an address text'" }), /says 'an address text', which no row says/);
    await refused(one({ filter: "handler NOT LIKE '%of ''a'' house%'" }), /says 'of 'a' house', which no row says/);
    await refused(one({ filter: "handler = 'east' AND handler IN ('west', 'whom')" }), /says 'whom', which no row says/);
    await refused(one({ filter: `handler <> '${'x'.repeat(300)}'` }), /which no row says/);
    await refused(one({ filter: 'returned <> 13800000000' }), /a number of more than 6 digits/);
    await refused(one({ filter: "handler LIKE 'ea%' AND handler IN ('east', 'west')", periods: ['2023-06'] }), /not over/);
    await refused(one({ unit: 'street' }), /no units 'street'/);
    await refused(one({ unit: 'village' }), /one set of regions a layer/);
    await refused(one({ periods: ['2023-05-01/2023-05-03'] }), /no period/);
    await refused(one({ periods: ['2023-05-01T12:00/2023-05-20'] }), /no period/);
    await refused(one({ periods: ['2023-05', '2023-W20'] }), /overlap/);
    await refused(one({ periods: ['2023-06'] }), /not over/);
    await refused(one({ periods: ['2023-W60'] }), /no period/);
    await refused(one({ periods: ['../2023-05-20'] }), /no period/);
    await refused(one({ periods: [] }), /lists no periods/);
    for (const nobody of ['', '  ']) await refused(one({ approved_by: nobody }), /says no approved_by/);
    await refused(one({ approved_on: 'soon' }), /approved_on 'soon' is no date/);
    for (const approved_on of ['2019-01-01', '2023-05-10', '2023-05-31'])
        await refused(one({ approved_on }), /approved_on .* is before period 2023-0[35] is over/);
    await refused(one({ topic: 'a/b' }), /cannot name a topic/);
    await refused((p) => p.statistics.push(p.statistics[0]), /listed twice/);
    await refused((p) => { delete p.addresses; }, /need "addresses"/);
    // Ten of anything else would be told as ten addresses.
    for (const layer of ['hazard', 'shop', 'rental', 'worker', 'grid'])
        await refused((p) => { p.addresses = layer; }, new RegExp(`"addresses": city\\.json does not say that ${layer} holds addresses`));
    await refused((p) => { p.addresses = 'nowhere'; }, /none called nowhere/);
    await refused((p) => { p.limits = { incidents: 4 }; }, /can be raised, not lowered/);
    await refused((p) => { p.limits = { addresses: 9 }; }, /can be raised, not lowered/);
    await refused((p) => { p.limits = { round: 1 }; }, /can be raised, not lowered/);
    await refused((p) => { p.limits = { noise: 1 }; }, /no member limits\.noise/);
});

test('what is too rare is held back and said to be', async () => {
    const out = path.join(made.dir, 'rare');
    const plan = { ...made.plan, statistics: [statistic('hazard', ['2023-05']),
        // All but a handful of them: what is left out would be told.
        statistic('nearly', ['2023-05'], 'NOT (severity = 4 AND returned >= 1)'),
        statistic('rare', ['2023-05'], 'severity = 4 AND returned >= 1'), statistic('serious', ['2023-05'], 'severity >= 3')] };
    const [from, to] = SPAN['2023-05'];
    const few = hazards.filter((r) => r.at >= from && r.at < to && r.severity === 4 && r.returned >= 1).length;
    assert.ok(few > 0 && few < 5, `${few} rows are rare`);
    const { status, stdout, report, manifest } = await publish(made, out, plan);
    assert.equal(status, 0);
    assert.deepEqual(report.statistics.map((s) => [s.topic, !!s.held_back]), [['hazard', false], ['nearly', true], ['rare', true], ['serious', false]]);
    assert.match(stdout, /rare .*held back/);
    assert.deepEqual(manifest.release.statistics.map((s) => s.topic), ['hazard', 'serious']);
    assert.deepEqual([...new Set((await figures(out, 'hazard', 'grid')).map((f) => f.topic))].sort(), ['hazard', 'serious']);
    for (const file of ['report.json', 'report.txt', 'city.json'])
        assert.ok(!new RegExp(`\\b${hazards.length}\\b`).test(await readFile(path.join(out, file), 'utf8')));
});

test('what was told once is minded by every release after it', async () => {
    const out = path.join(made.dir, 'again');
    assert.equal((await publish(made, out, plan1)).status, 0);
    const before = await figures(out, 'hazard', 'grid');
    // Other periods that cut into those that are out.
    const cut = { ...made.plan, statistics: [statistic('hazard', ['2023-W20'])] };
    const { status, stderr } = await publish(made, out, cut, '--replace');
    assert.equal(status, 1);
    assert.match(stderr, /overlap/);
    // Nothing of it told for a while: its regions stay, its figures go.
    // A slip in a plan takes nothing back.
    const slips = [[{ ...made.plan, statistics: [] }, /topic hazard of 2023-03 is out and not listed any more with its filter \(and others\).*--withdraw/],
        [{ ...plan1, statistics: [{ ...plan1.statistics[0], filter: 'severity >= 2' }, plan1.statistics[1]] }, /topic hazard of 2023-03 is out/],
        [{ ...plan1, statistics: [plan1.statistics[0]] }, /topic serious of 2023-05 is out and not listed any more with its filter:/]];
    for (const [slip, says] of slips) {
        const refused = await publish(made, out, slip, '--replace');
        assert.equal(refused.status, 1);
        assert.match(refused.stderr, says);
        assert.deepEqual(await figures(out, 'hazard', 'grid'), before);
    }
    const none = await publish(made, out, { ...made.plan, statistics: [] }, '--replace', '--withdraw');
    assert.match(none.stdout, /taken back for good: figures of 4 topics and periods that were told before \(hazard, 2023-03, \.\.\.\)/);
    assert.equal(none.status, 0, none.stderr);
    assert.deepEqual(none.manifest.release.statistics, []);
    assert.deepEqual(none.manifest.release.earlier.map((s) => s.topic).sort(), ['hazard', 'serious']);
    assert.equal(none.manifest.layers.filter((l) => l.name === 'hazard_statistic').length, 0);
    assert.equal((await onemap('verify', out)).status, 0);
    const { status: late } = await publish(made, out, cut, '--replace');
    assert.equal(late, 1);
    // Taken back is taken back: counted anew, they could be others.
    const back = await publish(made, out, plan1, '--replace');
    assert.equal(back.status, 0, back.stderr);
    assert.deepEqual(back.report.statistics.map((s) => [s.topic, /told before/.test(s.held_back)]), [['hazard', true], ['serious', true]]);
    // What is new is told of the same regions.
    const next = await publish(made, out, { ...made.plan, statistics: [statistic('hazard', ['2023-02', '2023-05'])] }, '--replace');
    assert.equal(next.status, 0, next.stderr);
    const now = await figures(out, 'hazard', 'grid'), cells = (list) => new Map(list.map((f) => [f.region, f.cells]));
    assert.deepEqual([...new Set(now.map((f) => f.period))], ['2023-02']);
    assert.deepEqual(cells(now), cells(before));
    // Units that are drawn anew: what was told is not told again of others.
    const anew = path.join(made.dir, 'anew'), drawn = path.join(made.dir, 'grid.geojson');
    await cp(made.city, anew, { recursive: true });
    await writeFile(drawn, squares('grid', 2));
    await done('import', anew, 'grid', drawn, '--as', 'unit:grid', '--id', 'id', '--replace', '--quiet');
    const other = await publish({ ...made, city: anew }, out, plan1, '--replace', '--withdraw');
    assert.equal(other.status, 1);
    assert.match(other.stderr, /units of level grid are others than when 2023-0[345] was told/);
    const later = await publish({ ...made, city: anew }, out, { ...made.plan, statistics: [statistic('hazard', ['2023-W23'])] }, '--replace', '--withdraw');
    assert.equal(later.status, 0, later.stderr);
});

test('rows that were mended or withdrawn change no figure that was told', async () => {
    const out = path.join(made.dir, 'frozen'), changed = path.join(made.dir, 'changed');
    assert.match((await publish(made, out, plan1)).stdout, /one in another folder must never be public together with it/);
    const before = await figures(out, 'hazard', 'grid'), at = (list) => new Map(list.map((f) => [`${f.topic} ${f.period} ${f.region}`, f.value]));
    // One report of April and one of May fewer in every grid that has any.
    const gone = new Set();
    for (const period of ['2023-04', '2023-05'])
        for (const grid of addresses.keys()) {
            const [row] = reports.get(`${period} ${grid}`) ?? [];
            if (row) gone.add(row.id);
        }
    assert.ok(gone.size > 200, `${gone.size}`);
    const source = path.join(made.dir, 'source'), kept = path.join(made.dir, 'kept'), file = path.join(kept, 'hazard.csv');
    await cp(source, kept, { recursive: true });
    await writeFile(file, (await readFile(file, 'utf8')).split('\n').filter((line) => !gone.has(line.split(',')[2])).join('\n'));
    await done('import', changed, '--all', kept, '--quiet');
    const city = { ...made, city: changed };
    // Counted anew many would tell it.
    const anew = path.join(made.dir, 'counted');
    assert.equal((await publish(city, anew, plan1)).status, 0);
    const counts = (cells, period) => count(new Set(cells), period, (r) => !gone.has(r.id));
    const fell = before.filter((f) => f.topic === 'hazard' && round(counts(f.cells, f.period)) !== f.value);
    assert.ok(fell.length > 10, `${fell.length} figures`);

    // Other names, other spans of the same days, other topics of the same time.
    const plan = { ...made.plan, statistics: [statistic('all', ['2023-03', '2023-04-01/2023-04-30', '2023-05', '2023-W23']),
        statistic('every', ['2023-04'], 'severity >= 1'), statistic('serious', ['2023-05'], 'severity >= 3'), statistic('graver', ['2023-05'], 'severity >= 2')] };
    const { status, stderr, stdout, report } = await publish(city, out, plan, '--replace');
    assert.equal(status, 0, stderr);
    const after = await figures(out, 'hazard', 'grid'), was = at(before), names = { all: 'hazard', '2023-04-01/2023-04-30': '2023-04' };
    let same = 0;
    for (const f of after) {
        const value = was.get(`${names[f.topic] ?? f.topic} ${names[f.period] ?? f.period} ${f.region}`);
        if (f.period === '2023-W23') assert.equal(f.value, round(counts(f.cells, f.period)));
        else assert.equal(f.value, value, `${f.topic} ${f.period} ${f.region}`);
        same += value !== undefined;
    }
    assert.equal(same, before.length);
    assert.deepEqual(report.statistics.map((s) => !!s.held_back), [false, true, false, true]);
    assert.match(stdout, new RegExp(`${before.length} figures were told before and stay as they were told.* never let both be public`));
    assert.match(await readFile(path.join(out, 'report.txt'), 'utf8'), /stay as they were told first/);
    // Once a release knows that it was told before, it stays as it is.
    assert.equal((await publish(city, out, plan, '--replace')).status, 0);
    assert.match((await publish(city, out, plan, '--replace')).stdout, /nothing has changed since/);
    // Back in the city they change nothing, either.
    assert.equal((await publish(made, out, plan, '--replace')).status, 0);
    assert.deepEqual(at(await figures(out, 'hazard', 'grid')), at(after));
});

test('a publisher that is killed leaves the release as it was, or a new one', async () => {
    const out = path.join(made.dir, 'killed');
    assert.equal((await publish(made, out, plan1)).status, 0);
    for (const ms of [5, 40, 120, 250]) {
        const file = path.join(made.dir, 'plan.json');
        await writeFile(file, JSON.stringify(ms % 2 ? plan1 : { ...plan1, name: `after ${ms}` }));
        await killedAfter(ms, 'publish', made.city, out, '--plan', file, '--replace');
        await done('verify', out);
    }
    assert.equal((await publish(made, out, plan1, '--replace')).status, 0);
    assert.deepEqual((await readdir(made.dir)).filter((f) => f.startsWith('killed')), ['killed']);
});
