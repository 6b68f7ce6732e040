// What lists tell that are no lists of rows, to those who may not take rows away.
//
// Plan
//   values: of all layers, by each column that whoever asks finds: a column with
//   about as many values as rows is refused or told a page at a time; units, kinds
//   and steps of time are told whole; who may take rows away is told of all
//   budget: rows and values are of one budget, whatever is asked twice too
//   coverage: each list of rows, of whatever kind and form, has a page and is of that
//   budget; areas too small to hide a house are a list; who may take rows away gets all
//   audit: values that tell of rows are noted, with what they were asked by, and
//   counts of kinds are not; names of layers in it can be read, texts cannot
import assert from 'node:assert/strict';
import test from 'node:test';

import { onemap } from './onemap.mjs';
import { askAs, csv, layersOf, makeSynthetic, rowsOf, token } from './roles.mjs';
import { serve } from './server.mjs';

const PAGE = 1000, BUDGET = 20000, PER_S = 20;

test('values are rows', async (t) => {
    const { city } = await makeSynthetic(t, 0.004), layers = await layersOf(city);
    // A token each: what one has been told is not the next one's.
    const who = { analyst: await token(city, 'analyst'), admin: await token(city, 'admin') };
    for (const name of ['looks', 'spends', 'lists', 'noted', 'pixels']) who[name] = await token(city, 'wall');
    const { url } = await serve(t, city);
    const as = Object.fromEntries(Object.entries(who).map(([name, text]) => [name, askAs(url, text)])), { analyst, admin } = as;

    await t.test('of which there are as many as rows', async () => {
        let refused = 0, whole = 0;
        const wall = as.looks;
        for (const { name } of layers) {
            const rows = (await admin(`/stats/${name}`)).json().count;
            const columns = Object.keys((await wall(`/collections/${name}/queryables`)).json().properties ?? {});
            for (const by of columns) {
                const target = `/stats/${name}?by=${by}`, got = await wall(target), all = await analyst(target);
                if (all.status !== 200) {
                    assert.notEqual(got.status, 200, target);
                    continue;
                }
                const { groups } = all.json();
                if (got.status === 422) {
                    refused++;
                    assert.ok(groups.length > PAGE, `${target}: ${groups.length}`);
                    assert.match(got.text(), /take rows away/);
                    continue;
                }
                assert.equal(got.status, 200, `${target}: ${got.text()}`);
                const told = got.json().groups;
                whole++;
                assert.deepEqual(told, groups, target);
                assert.ok(told.length <= PAGE || told.length < rows / 100, `${target} tells ${told.length} values of ${rows} rows`);
            }
        }
        assert.ok(refused > 10 && whole > 40, `${refused} ${whole}`);
        for (const target of ['/stats/address?by=text', '/stats/rental?by=id', '/stats/rental?by=address', '/stats/rental?by=building', '/stats/business?by=name', '/stats/hazard?by=target_id', '/stats/hazard?by=reported'])
            // Nobody has counted them to know: how many there are is not known.
            assert.deepEqual(await wall(target).then((answer) => [answer.status, /tells of more than 1000 values/.test(answer.text())]), [422, true], target);
        for (const target of ['/stats/address?by=grid', '/stats/rental?by=level', '/stats/hazard?by=hour', '/stats/hazard?by=item', '/stats/rental?by=model_house'])
            assert.equal((await wall(target)).status, 200, target);
    });

    await t.test('one budget', async () => {
        const wall = as.spends, begun = Date.now(), places = (await rowsOf(city, 'address')).map((r) => [Number(r.lon), Number(r.lat)]);
        let told = 0, refused = null;
        for (let i = 0; i < 2000 && !refused; i++) {
            // Each of them twice: the second comes from what was kept.
            const [x, y] = places[(i >> 1) * 37 % places.length], d = 0.006;
            const answer = await wall(`/stats/address?by=text&bbox=${[x - d, y - d, x + d, y + d].map((v) => v.toFixed(5))}`);
            if (answer.status === 422) continue;
            if (answer.status === 429) refused = answer;
            else told += answer.json().groups.length;
        }
        assert.match(refused?.text() ?? '', /too many rows/);
        assert.ok(refused.headers['retry-after'] ?? refused.headers.get?.('retry-after'));
        const most = BUDGET + PAGE + PER_S * (Date.now() - begun) / 1000;
        assert.ok(told > BUDGET / 2 && told <= most, `${told} of ${most}`);
        // What is left of it is nobody's, by any other address.
        for (const target of ['/collections/address/items?limit=1000', '/stats/rental?by=id&bbox=113.6,22.9,113.62,22.92'])
            assert.ok([422, 429].includes((await wall(target)).status), target);
        for (const target of ['/stats/address?by=village', '/stats/facility?by=kind'])
            assert.equal((await wall(target)).status, 200, target);
        assert.equal((await analyst('/stats/rental?by=id')).json().groups.length, (await rowsOf(city, 'rental')).length);
    });

    await t.test('lists of coverage', async () => {
        const wall = as.lists, rowsIn = (answer) => csv(answer.text());
        const lists = ['/coverage/service?people=address&rows=true&limit=40000', '/coverage/service?people=address&areas=true&cell=20&limit=40000'];
        for (const target of lists) {
            const got = rowsIn(await wall(`${target}&f=csv`)), all = rowsIn(await analyst(`${target}&f=csv`));
            assert.equal(got.length, PAGE, target);
            assert.ok(all.length > PAGE, `${target}: ${all.length}`);
            assert.deepEqual(got, all.slice(0, PAGE));
            assert.equal((await wall(`${target}&f=geojson`)).json().features.length, PAGE);
        }
        assert.ok(rowsIn(await wall('/coverage/partition?rows=true&limit=40000&f=csv')).length <= PAGE + 100);
        // Clusters of two rows are where the rows are.
        const clusters = '/hotspots/address?stat=dbscan&eps=5&min=2&f=csv', found = rowsIn(await wall(clusters)), all = rowsIn(await analyst(clusters));
        assert.ok(all.length > PAGE, `${all.length}`);
        assert.deepEqual(found, all.slice(0, PAGE));
        let refused = null, told = 5 * PAGE;
        for (let n = PAGE; n > 0 && !refused; n--) {
            const answer = await wall(`/coverage/service?people=address&rows=true&f=csv&limit=${n}`);
            if (answer.status === 429) refused = answer;
            else told += rowsIn(answer).length;
        }
        assert.match(refused?.text() ?? '', /too many rows/);
        assert.ok(told > BUDGET / 2);
        for (const target of ['/collections/address/items?limit=1000', lists[0], `${lists[0]}&f=csv`, clusters, '/coverage/site?people=address&k=3'])
            assert.equal((await wall(target)).status, 429, target);
        for (const target of ['/coverage/service?people=address&by=village', '/coverage/workload?by=town'])
            assert.equal((await wall(target)).status, 200, target);
    });

    await t.test('noted', async () => {
        const wall = as.noted, id = who.noted.split('.')[1];
        const [{ lon, lat }] = await rowsOf(city, 'address'), d = 0.002;
        const box = `bbox=${[lon - d, lat - d, Number(lon) + d, Number(lat) + d].map((v) => v.toFixed(5))}`;
        for (const target of [`/stats/address?by=text&${box}`, `/stats/address?by=text&${box}`, '/stats/address?by=id', '/stats/address?by=town', '/stats/facility?by=kind', '/stats/hazard?by=day',
            `/coverage/service?people=address&rows=true&limit=5&among=${encodeURIComponent("text='Zhao'")}`, '/coverage/site?people=address&k=2', '/coverage/partition?layer=address&limit=3&rows=true', '/coverage/workload?by=town', '/hotspots/facility?stat=dbscan&eps=5&min=2&limit=3', '/hotspots/facility?units=town'])
            await wall(target);
        const lines = (await onemap('audit', city)).stdout.trim().split('\n').map((line) => JSON.parse(line)).filter((l) => l.token === id);
        const [service, ...others] = lines.splice(3);
        assert.match(service.target, /^\/coverage\/service\?people=address&rows=true&limit=5&among=text%3D'~[0-9a-f]+'$/);
        assert.deepEqual(others.map((l) => l.target), ['/coverage/site?people=address&k=2', '/coverage/partition?layer=address&limit=3&rows=true', '/hotspots/facility?stat=dbscan&eps=5&min=2&limit=3']);
        // Whatever is counted of rows that are chosen one by one, by ids and places, is what they say.
        const hazard = (await rowsOf(city, 'hazard'))[0], f = (text) => encodeURIComponent(text), tiny = `bbox=${[-1, -1, 1, 1].map((s, i) => (Number(i % 2 ? hazard.lat : hazard.lon) + s * 1e-5).toFixed(6))}`, one = `filter=${f(`id = '${hazard.id}'`)}`;
        const ask = async (target, name = 'analyst') => { const answer = await as[name](target); return answer.status; }, noted = async () => (await onemap('audit', city)).stdout.trim().split('\n').map((line) => JSON.parse(line)).filter((l) => l.token === who.analyst.split('.')[1]).map((l) => l.target);
        const before = (await noted()).length, chosen = [`/stats/hazard?${one}&by=status`, `/stats/hazard?${one}&by=day`, `/stats/hazard?${one}&by=severity`, `/stats/hazard?${tiny}&by=severity`, `/stats/hazard?by=status&filter=${f(`reported = TIMESTAMP('${new Date(hazard.reported).toISOString().replace('.000', '')}')`)}`,
            `/legend/choropleth:town.json?layer=hazard&${one}`, `/hotspots/hazard?units=town&${one}`, `/tiles/heat:hazard/12/3339/1778.days?${one}`];
        for (const target of [...chosen, chosen[0]]) assert.equal(await ask(target) < 300, true, target);
        const marked = (await noted()).slice(before);
        assert.equal(marked.length, chosen.length + 1, marked.join('\n'));
        for (const target of ['/stats/hazard?by=status', '/stats/hazard?by=town&datetime=2023-06', `/stats/hazard?by=town&filter=${f('severity >= 3')}`]) await ask(target);
        // What is under a pixel is what /value says, however it is asked.
        const z = 14, pixel = (n) => [Math.floor(n), Math.floor((n % 1) * 256)], [[col, i], [row, j]] = [pixel((Number(hazard.lon) + 180) / 360 * 2 ** z), pixel((1 - Math.asinh(Math.tan(hazard.lat * Math.PI / 180)) / Math.PI) / 2 * 2 ** z)];
        const info = (wanted = 'GetFeatureInfo') => `/wmts?SERVICE=WMTS&REQUEST=${wanted}&LAYER=heat:hazard&TILEMATRIXSET=WebMercatorQuad&TILEMATRIX=${z}&TILEROW=${row}&TILECOL=${col}&I=${i}&J=${j}`;
        const looked = await analyst(info());
        assert.equal(looked.status, 200, looked.text());
        assert.ok(looked.text().includes(hazard.id));
        assert.deepEqual((await noted()).slice(before + marked.length).map((target) => target.split('?')[0]), ['/wmts']);
        let taken = null;
        for (let n = 0; n < 4000 && !taken; n++) {
            const answer = await as.pixels(info(n % 2 ? 'GetFeatureInfo' : 'getfeatureinfo'));
            if (answer.status !== 200) taken = answer;
        }
        assert.equal(taken?.status, 429, 'its rows are of the budget');
        // What is refused is kept without what somebody typed, wherever they typed it.
        for (const target of [`/collections/hazard/items/${f('张三13800138000')}`, `/collections/${f('张三')}/items`, `/collections/hazard/items?${f('王五')}=1`, `/collections/hazard/items?filter=${f('"王五" = 1')}`, '/collections/hazard/items?filter=zhaoliu13800138000', `/nearest/${f('张三')}?lon=113.7&lat=23`]) assert.ok(await ask(target) >= 400, target);
        const typed = (await noted()).slice(before + marked.length + 1);
        assert.equal(typed.length, 6, typed.join('\n'));
        for (const target of typed) assert.doesNotMatch(decodeURIComponent(target), /张三|王五|138|zhao/);
        assert.match(typed[0], /^\/collections\/hazard\/items\/~[0-9a-f]+$/);
        assert.deepEqual(lines.map((l) => [l.target, l.status]), [[`/stats/address?by=text&${box}`, 200], [`/stats/address?by=text&${box}`, 200], ['/stats/address?by=id', 422]]);
    });
});
