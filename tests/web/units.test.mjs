// /stats/LAYER?by=UNIT&series=day and /tiles/UNIT/z/x/y.units: what a choropleth
// of any period is made of.
//
// Plan
//   of any period the days of a series add up to what /stats tells of it, sums and
//     filters, too; so do its classes and their words to the legend of that period
//   so do rates for each of what is the same every day, and two that are compared
//   a tile of units in the colours of a period is the picture of that period
//   breaks are the server's whatever the counts
//   what cannot be told so is refused with a reason; bytes that are no tile, too
//   of persons no series is told, whoever asks that only counts them, by no way of
//     asking; who may see the rows has it; an area is an area, and names no others
//   a row that is written makes the series new, and no tile of units
import assert from 'node:assert/strict';
import test from 'node:test';

import { breaksOf, general, rangesOf } from '../../web/pages/analyst/breaks.js';
import { UnitSteps, coloursOf } from '../../web/pages/analyst/unitsteps.js';
import { paintUnits, readUnitTile } from '../../web/pages/analyst/unittile.js';
import { checkBroken, checkRefused, dateOf, dayOf, hazardsServed, officerOfMost, writeHazard } from './days_sample.mjs';
import { random } from './onemap.mjs';
import { decode, farness } from './png.mjs';
import { askAs } from './roles.mjs';

test('classes of whole numbers', () => {
    // Halves go to the even digit, as the server's printf has it.
    assert.deepEqual(breaksOf([1, 125, 24500]), [1, 120, 24000]);
    assert.deepEqual(breaksOf([7, 7, 7]), [7]);
    assert.deepEqual(breaksOf([]), []);
    // As printf has them: %.3g and %.0f.
    assert.deepEqual([0.125, 0.5, 12.5, 99.95, 0.00001234, 123456, 0.1 + 0.2, 1e-7, 2].map((v) => general(v, 3)), ['0.125', '0.5', '12.5', '100', '1.23e-05', '1.23e+05', '0.3', '1e-07', '2']);
    assert.deepEqual([0.125, 0.375, 2.5, 3.5].map((v) => general(v, v < 1 ? 2 : 1)), ['0.12', '0.38', '2', '4']);
    assert.deepEqual(rangesOf([0.98765, 1.5, 12, 1234.5], false), ['0.98765–1.5', '1.5–12', '12–1234.5', '≥1234.5']);
    const next = random(3);
    for (let i = 0; i < 300; i++) {
        const values = Array.from({ length: 1 + Math.floor(next() * 200) }, () => 1 + Math.floor(next() ** 3 * 10 ** (1 + i % 6))), from = breaksOf(values);
        assert.ok(from.length >= 1 && from.length <= 7 && from.every((v, k) => (k ? v > from[k - 1] : v === Math.min(...values))));
        for (const [k, low] of from.entries()) assert.ok(values.some((v) => v >= low && !(v >= from[k + 1])), `${low} of ${from} holds something`);
    }
});

test('units by day', async (t) => {
    const served = await hazardsServed(t, ['admin', 'analyst', 'wall']), { url, as, ask, get, at } = served, next = random(17);
    /** Some period within days. */
    const some = (first, days) => {
        const a = Math.floor(next() * days), n = 1 + Math.floor(next() * (days - a));
        return { from: first + a, to: first + a + n, time: `${dateOf(first + a)}/${dateOf(first + a + n - 1)}` };
    };
    const read = async (level, params, all = '', per = null) => {
        const series = await get(`/stats/hazard?by=${level}&series=day&${params}${per?.area ? '&per=area' : ''}`), divided = per && (per.area ? series.groups : (await get(`/stats/${per.layer}?by=${level}`)).groups);
        return new UnitSteps(series, (await get(`/stats/hazard?by=${level}&${all}`)).groups, dayOf(series.first), per && { ...per, of: new Map(divided.filter((g) => g.id !== null).map((g) => [g.id, per.area ? g.area_km2 : g.count])) });
    };
    const AREA = { area: true, scale: 1, floor: 0 }, HOUSE = { area: false, layer: 'rental', scale: 1000, floor: 10 };

    await t.test('add up to what is told of a period', async () => {
        for (const [level, params, sum] of [['grid', ''], ['village', 'filter=severity%3E=3'], ['town', ''], ['grid', 'sum=severity', true], ['town', 'sum=severity&datetime=2023-02-01/2023-05-31', true]]) {
            const units = await read(level, params, sum ? 'sum=severity' : '');
            for (let i = 0; i < 8; i++) {
                const { from, to, time } = some(units.first, units.days), query = new URLSearchParams(params);
                query.delete('datetime');
                const { groups } = await get(`/stats/hazard?by=${level}&${query}&datetime=${time}`), told = new Map(groups.map((g) => [g.id, sum ? g.sum : g.count])), values = units.values(from, to);
                assert.deepEqual([...values], units.ids.map((id) => told.get(id) ?? 0), `${level} ${params} ${time}`);
                assert.equal(units.total(from, to), values.reduce((a, b) => a + b, 0));
            }
        }
    });

    await t.test('are the picture and the legend of any period', async () => {
        for (const [level, params, palette, ramp, scale, z, per = null] of [['grid', 'stat=rate', 'dark', 'warm', 1, 10, AREA], ['village', 'stat=rate&per=house&filter=severity%3E=2', 'light', 'warm', 1, 10, HOUSE], ['grid', 'stat=rate&per=house', 'light', 'cool', 1, 9, HOUSE],
            ['grid', '', 'dark', 'warm', 1, 9], ['grid', 'filter=severity%3E=2', 'light', 'warm', 1, 11], ['village', 'stat=sum&column=severity', 'light', 'cool', 1, 10],
            ['town', '', 'dark', 'cool', 2, 10], ['grid', '', 'light', 'warm', 2, 13]]) {
            const sum = /stat=sum/.test(params), filter = new URLSearchParams(params).get('filter') ?? '', units = await read(level, new URLSearchParams({ ...filter && { filter }, ...sum && { sum: 'severity' } }).toString(), sum ? 'sum=severity' : '', per);
            const tile = readUnitTile((await ask(`/tiles/${level}/${at(z)}${scale > 1 ? '@2x' : ''}.units?size=512`)).body);
            assert.equal(tile.side, 512 * scale);
            for (let i = 0; i < 3 - scale; i++) {
                const { from, to, time } = some(units.first, units.days), values = units.values(from, to), classes = units.classes(values, units.total(from, to));
                const query = `layer=hazard&${params}&datetime=${time}&palette=${palette}&ramp=${ramp}`, what = `${level} ${query} z${z}`;
                const told = (await get(`/legend/choropleth:${level}.json?${query}&lang=en`)).items, colours = coloursOf(classes.from.length, palette, ramp);
                assert.deepEqual(told.filter((x) => x.form === 'area').map((x) => x.text), [...classes.texts.map((text) => (classes.same === null ? text : `all ${general(classes.same, 10)}`)).reverse(), ...classes.zero ? ['0'] : []], what);
                assert.deepEqual(told.filter((x) => x.form === 'area' && x.text !== '0').map((x) => x.color), colours.hex.map((hex) => `#${hex.toLowerCase()}`).reverse(), what);
                const { fill, zero } = units.paint(classes, colours), own = Uint32Array.from(tile.ids, (id) => fill[units.ids.indexOf(id)] ?? zero), mine = new Uint32Array(tile.side ** 2);
                paintUnits(tile, own, { edge: colours.edge, hatch: colours.hatch, ratio: scale }, mine);
                const { body } = await ask(`/tiles/choropleth:${level}/${at(z)}${scale > 1 ? '@2x' : ''}.png?${query}&size=512`), { rgba } = decode(body), bytes = new Uint8Array(mine.buffer);
                // A palette picture has the colours that are nearest.
                let far = 0, differ = 0;
                for (let k = 0; k < rgba.length; k += 4) {
                    const d = farness(rgba, bytes, k);
                    far += d > 24;
                    differ += d > 4;
                }
                assert.ok(far < 0.003 * mine.length && differ < 0.06 * mine.length, `${what}: ${far} and ${differ} of ${mine.length} pixels`);
            }
        }
        assert.equal((await ask('/tiles/grid/12/0/0.units')).status, 204);
    });

    await t.test('have one legend where two are compared', async () => {
        for (const [level, params, per] of [['grid', '', null], ['village', 'stat=rate', AREA], ['grid', 'stat=rate&per=house', HOUSE]]) {
            const units = await read(level, '', '', per), a = some(units.first, units.days), b = some(units.first, units.days), values = [a, b].map(({ from, to }) => units.values(from, to));
            const classes = units.sharedClasses(values[0], values[1], null), query = `layer=hazard&${params}&datetime=${a.time}&with_datetime=${b.time}`;
            const told = (await get(`/legend/choropleth:${level}.json?${query}&lang=en`)).items.filter((x) => x.form === 'area').map((x) => x.text);
            assert.deepEqual(told, [...classes.texts.map((text) => (classes.same === null ? text : `all ${general(classes.same, 10)}`)).reverse(), ...classes.zero ? ['0'] : []], query);
        }
    });

    await t.test('are refused with a reason', async () => {
        await checkRefused(ask, [
            ['/stats/hazard?series=day', [400], /by/], ['/stats/hazard?by=status&series=day', [400], /units/], ['/stats/hazard?by=grid&series=hour', [400], /series/], ['/stats/hazard?by=grid&series=day&share=severity%3E2', [400], /share/],
            ['/stats/hazard?by=grid&series=day&sum=status', [400], /number/], ['/stats/address?by=grid&series=day', [400], /no time/], ['/stats/hazard?by=grid&series=day&per=address', [400], /per/],
            [`/tiles/hazard/${at(12)}.units`, [404], /level of units/], [`/tiles/base/${at(12)}.units`, [404], /level of units/], [`/tiles/nix/${at(12)}.units`, [404], /no such/], [`/tiles/grid/${at(12)}.units?filter=id='1'`, [400], /filter/], [`/tiles/grid/${at(12)}.units?size=1024`, [400], /size/]]);
        const { body } = await ask(`/tiles/grid/${at(11)}.units`), bytes = new Uint8Array(body);
        checkBroken(bytes, readUnitTile, { cuts: 200, stride: 997, times: 200, head: 300, next, check: (tile) => {
            assert.ok(tile.partUnit.every((u) => u < tile.ids.length) && tile.whole.every((u) => u <= tile.ids.length));
        } });
    });

    await t.test('tell nothing of persons', async () => {
        // Days of what each period hides would be added up, and two periods subtracted.
        for (const role of ['analyst', 'wall']) {
            for (const layer of ['visit', 'check', 'rental', 'worker', 'tip', 'appeal'])
                for (const level of ['grid', 'village', 'town'])
                    for (const more of ['', '&sum=checks_done', '&datetime=2023-03-01/2023-03-31', '&bbox=113.7,22.9,113.8,23', "&filter=target_layer='rental'"]) {
                        const series = await as[role](`/stats/${layer}?by=${level}&series=day${more}`), dated = await as[role](`/stats/${layer}?by=${level}&datetime=2023-03-01/2023-03-02${more.replace(/&datetime=[^&]*/, '')}`);
                        // Whoever may not ask for a period is not told any series.
                        if (dated.status !== 200) assert.ok(series.status >= 400, `${role} ${layer} ${level} ${more}: ${series.text().slice(0, 200)}`);
                    }
            for (const level of ['grid', 'town']) {
                const answer = await as[role](`/stats/visit?by=${level}&series=day`);
                assert.equal(answer.status, 404, answer.text());
            }
            // Sums of a column that is not seen, of a layer that is.
            assert.ok((await as[role]('/stats/building?by=grid&series=day&sum=residents')).status >= 400);
        }
        assert.ok((await get('/stats/visit?by=grid&series=day', as.admin)).groups.length > 100);
        assert.equal((await askAs(url, null)('/stats/hazard?by=grid&series=day')).status, 401);
        assert.equal((await askAs(url, null)(`/tiles/grid/${at(11)}.units`)).status, 401);
        const { officer, count } = await officerOfMost(served);
        const own = await get('/stats/hazard?by=grid&series=day', officer), sum = own.groups.flatMap((g) => g.series).reduce((a, b) => a + b, 0);
        assert.equal(sum, count);
        const mine = new Set((await get('/stats/hazard?by=grid', officer)).groups.map((g) => g.id));
        assert.ok(own.groups.every((g) => g.id === null || mine.has(g.id)));
        // Units elsewhere are not there, in no form.
        const all = readUnitTile((await ask(`/tiles/grid/${at(9)}.units`)).body), named = readUnitTile((await officer(`/tiles/grid/${at(9)}.units`)).body);
        assert.deepEqual(named.ids, all.ids.filter((id) => mine.has(id)));
        assert.ok(named.ids.length && named.ids.length < all.ids.length);
    });

    await t.test('are new where a row is written', async () => {
        const tags = async () => Promise.all(['/stats/hazard?by=grid&series=day', `/tiles/grid/${at(11)}.units`].map(async (target) => (await ask(target)).headers.etag));
        const before = await tags(), total = (await get('/stats/hazard?by=grid&series=day')).groups.flatMap((g) => g.series).reduce((a, b) => a + b, 0);
        await writeHazard(served, 'test-of-series');
        const after = await tags();
        assert.notEqual(after[0], before[0]);
        assert.equal(after[1], before[1]);
        assert.equal((await get('/stats/hazard?by=grid&series=day')).groups.flatMap((g) => g.series).reduce((a, b) => a + b, 0), total + 1);
    });
});
