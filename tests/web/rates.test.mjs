// Shares and rates of groups, what a city's layers are to it, and that answers
// about ways outlive reports.
//
// Plan
//   share=  of each group, by unit and by column, counted here row by row
//   per=    rows for each of what is exposed: rows, a filter's, a sum; in the
//           same period only where it says so; below the floor it is null
//   both ends of the intervals hold the value, and wider than nothing
//   the whole is said like a group; empty units are there
//   what is wrong is told with its parameter
//   /catalog passes on what city.json says of its layers
//   a report leaves /coverage/service as it was: kept, not made again
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { ask as askFor } from './ask.mjs';
import { done, folder } from './onemap.mjs';
import { get, makeCity, places } from './sample.mjs';
import { charge, serve } from './server.mjs';

const EXPOSED = {
    any: { layer: 'place', floor: 1 },
    heavy: { layer: 'place', filter: "kind = 'shop'", weight: 'weight', scale: 100, floor: 50, unit: '每百', unit_en: 'per 100' },
    month: { layer: 'place', windowed: true, scale: 10, floor: 1 },
};
const WALL = { register: [{ layer: 'place' }] }, AWAITED = [{ title: '视频感知', title_en: 'Video' }];

test('shares and rates are those of the rows', async (t) => {
    const { city } = await makeCity(t), file = path.join(city, 'city.json');
    await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, 'utf8')), exposures: EXPOSED, wall: WALL, awaited: AWAITED }));
    const { url } = await serve(t, city);
    const ask = async (params) => {
        const answer = await get(`${url}/stats/place?${new URLSearchParams(params)}`);
        assert.equal(answer.status, 200, answer.text());
        return answer.json();
    };
    const rows = places(), kind = (r) => r.kind, all = () => '';
    const sum = (list, f) => list.reduce((total, r) => total + f(r), 0);
    const near = (a, b) => a === null ? b === null : Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(b));
    const units = new Map((await get(`${url}/collections/place/items?limit=5000`)).json().features.map((f) => [f.id, f.properties.square]));
    assert.equal(units.size, rows.length);
    const square = (r) => units.get(r.id);

    const check = (said, group, mine, { hits, exposed, scale, floor }) => {
        assert.equal(said.count, mine.length);
        if (hits) {
            const n = mine.filter(hits).length;
            assert.equal(said.share_count, n);
            assert.ok(near(said.share, mine.length ? n / mine.length : null));
            if (mine.length) assert.ok(said.share_low <= said.share && said.share <= said.share_high && said.share_low < said.share_high);
        }
        if (exposed) {
            const e = exposed(group);
            assert.ok(near(said.exposure, e), `${said.exposure} is ${e}`);
            const known = e >= floor;
            assert.ok(near(said.rate, known ? mine.length / e * scale : null));
            if (known) assert.ok(said.rate_low <= said.rate && said.rate < said.rate_high);
            else assert.equal(said.rate_high, null);
        }
    };
    const compare = (answer, by, of, how) => {
        const mine = rows.filter(of);
        check(answer, '', mine, { ...how, exposed: how.exposed && (() => how.exposed(null)) });
        for (const g of answer.groups) {
            check(g, g.id, mine.filter((r) => by(r) === g.id), { ...how, exposed: how.exposed && (() => how.exposed((r) => by(r) === g.id)) });
        }
        assert.equal(sum(answer.groups, (g) => g.count), mine.length);
    };
    const inJanuary = (r) => r.at.startsWith('2023-01'), weight = (r) => r.weight;
    const among = (list, f) => f ? list.filter(f) : list;

    await t.test('a share, by unit and by column', async () => {
        const hits = (r) => r.weight >= 7;
        compare(await ask({ by: 'square', share: 'weight >= 7' }), square, () => true, { hits });
        compare(await ask({ by: 'kind', share: 'weight >= 7', datetime: '2023-01' }), kind, inJanuary, { hits });
        compare(await ask({ by: 'square', filter: 'weight > 3 OR weight < 1', share: "weight >= 7 OR kind = 'none'" }), square,
            (r) => r.weight > 3 || r.weight < 1, { hits });
        const whole = await ask({ share: 'weight >= 7' });
        assert.equal(whole.share_count, rows.filter(hits).length);
        assert.equal(whole.confidence, 95);
        assert.equal(whole.groups, undefined);
        assert.equal((await ask({ filter: 'weight > 100', share: 'weight > 1' })).share, null);
    });
    await t.test('for each of what is exposed', async () => {
        compare(await ask({ by: 'square', filter: 'weight > 4', per: 'any' }), square, (r) => r.weight > 4,
            { exposed: (f) => among(rows, f).length, scale: 1000, floor: 1 });
        const heavy = await ask({ by: 'square', per: 'heavy' });
        compare(heavy, square, () => true, { exposed: (f) => sum(among(rows.filter((r) => r.kind === 'shop'), f), weight), scale: 100, floor: 50 });
        assert.equal(heavy.unit, '每百');
        // Its kinds have none of another kind exposed: null, not endless.
        const kinds = await ask({ by: 'kind', per: 'heavy' });
        assert.equal(kinds.groups.find((g) => g.id === 'home').rate, null);
        compare(await ask({ by: 'square', per: 'month', datetime: '2023-01', share: 'weight < 3' }), square, inJanuary,
            { exposed: (f) => among(rows.filter(inJanuary), f).length, scale: 10, floor: 1, hits: (r) => r.weight < 3 });
        compare(await ask({ by: 'square', per: 'any', datetime: '2023-01' }), square, inJanuary,
            { exposed: (f) => among(rows, f).length, scale: 1000, floor: 1 });
    });
    await t.test('what is wrong is told with its parameter', async () => {
        for (const [query, parameter] of [['share=weigth>1', 'share'], ['share=weight>', 'share'], ['per=none', 'per'],
            ['by=month&share=weight>1', 'by'], ['by=day&per=any', 'by']]) {
            const answer = await get(`${url}/stats/place?${query}`);
            assert.equal(answer.status, 400, `${query}: ${answer.text()}`);
            assert.equal(answer.json().parameter, parameter);
        }
        // A filter that ends what it is put into is no way around it.
        assert.equal((await get(`${url}/stats/place?filter=weight>1&share=${encodeURIComponent('weight>8) OR (weight<9')}`)).status, 400);
    });
    await t.test('/catalog passes on what city.json says', async () => {
        const catalog = (await get(`${url}/catalog`)).json();
        assert.deepEqual(catalog.wall, WALL);
        assert.deepEqual(catalog.awaited, AWAITED);
        assert.deepEqual(catalog.exposures, EXPOSED);
        assert.equal(catalog.duty, undefined);
    });
});

test('a report leaves answers about ways and rounds as they were', async (t) => {
    const dir = await folder(t), city = path.join(dir, 'city');
    await done('synth', path.join(dir, 'files'), '--scale', '0.001', '--quiet');
    await done('import', city, '--all', path.join(dir, 'files'), '--quiet');
    // Shares by persons are for those in charge.
    const { args, auth } = await charge(dir), { url } = await serve(t, city, '--beat', '86400', ...args);
    const ask = (target) => get(target, { headers: auth });
    const hits = async () => Number(/onemap_cache_hits_total\{cache="answers"\} (\d+)/.exec((await ask(`${url}/metrics`)).text())[1]);
    const [report] = (await ask(`${url}/collections/hazard/items?limit=1`)).json().features;
    const report_again = async (id) => {
        const answer = await askFor(`${url}/collections/hazard/items`, { method: 'POST', headers: auth, body: { ...report, id, properties: { ...report.properties, id } } });
        assert.equal(answer.status, 201, answer.text());
    };
    let n = 0;
    for (const [address, kept] of [['/coverage/service', true], ['/coverage/patrol?by=level', true], ['/coverage/workload', false],
        ['/hotspots/hazard?each=department&exposure=hazard', false], ['/hotspots/tip?per=house', true], ['/stats/rental?by=town&per=visit', true],
        ['/stats/hazard?by=town&per=visit', false], ['/stats/rental?by=town&share=residents>9', true]]) {
        const first = await ask(`${url}${address}`);
        assert.equal(first.status, 200, `${address}: ${first.text()}`);
        await ask(`${url}${address}`);
        await report_again(`H-new-${n++}`);
        const before = await hits(), again = await ask(`${url}${address}`);
        assert.equal(again.status, 200);
        assert.equal(await hits() - before, kept ? 1 : 0, `${address} is ${kept ? 'kept' : 'made again'}`);
        if (kept) assert.equal(again.headers.etag, first.headers.etag);
    }
});
