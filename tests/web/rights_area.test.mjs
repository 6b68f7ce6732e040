// rights_area.test.mjs - of units whoever has an area is told of its own only.
//
// Plan
//   lists: of units of every level, by counts, by work and as rows, an officer of
//   a village gets the village, its grids (empty ones, too) and the one town that
//   it lies in; none is "unmanned" because it is somebody else's
//   outlines: of units elsewhere in no tile, picture or cover
//   legends: of heat of persons the largest value is that of the own unit's rows,
//   whatever there is elsewhere; of what everybody sees it is the city's
//   bounds: of a layer's rows are told as those of units, not of its outermost row
//   tiles: what is written elsewhere changes no ETag of a tile there
import assert from 'node:assert/strict';
import test from 'node:test';

import { MERGE } from './ask.mjs';
import { decode } from './png.mjs';
import { askAs, makeSynthetic, rowsOf, token } from './roles.mjs';
import { tileX, tileY } from './sample.mjs';
import { serve } from './server.mjs';

test('units of an officer', async (t) => {
    const { city } = await makeSynthetic(t, 0.004);
    const grids = await rowsOf(city, 'grid'), { village, town } = grids[0], own = { town: [town], village: [village], grid: grids.filter((g) => g.village === village).map((g) => g.id).sort() };
    const officer = await token(city, 'officer', '--area', `village:${village}`), { url } = await serve(t, city), ask = askAs(url, officer);
    const json = async (target) => (await ask(target)).json();
    for (const [level, ids] of Object.entries(own)) {
        const hazards = await json(`/stats/hazard?by=${level}`), work = await json(`/coverage/workload?by=${level}`), rows = await json(`/collections/${level}/items?limit=1000`);
        assert.deepEqual(hazards.groups.filter((g) => g.id).map((g) => g.id), ids, `counts by ${level}`);
        assert.deepEqual(work.rows.map((r) => r.id).sort(), ids, `work by ${level}`);
        assert.ok(work.unmanned <= ids.length);
        assert.deepEqual(rows.features.map((f) => f.id).sort(), ids, `rows of ${level}`);
    }
    assert.ok((await json('/coverage/workload?by=town')).unmanned <= 1);
});

test('no outline of units elsewhere', async (t) => {
    const { city } = await makeSynthetic(t, 0.004), hazards = await rowsOf(city, 'hazard');
    const near = hazards.find((row) => row.town), km = (row) => Math.hypot(row.lon - near.lon, row.lat - near.lat);
    const far = hazards.filter((row) => row.town && row.town !== near.town).sort((a, b) => km(b) - km(a))[0];
    const [admin, officer] = [await token(city, 'admin'), await token(city, 'officer', '--area', `town:${near.town}`)], { url } = await serve(t, city);
    const shown = async (who, target) => {
        const { status, body } = await askAs(url, who)(target);
        assert.ok([200, 204].includes(status), `${target}: ${status}`);
        return status === 200 && body.length > 0 && (!target.includes('.png') || decode(body).rgba.some((v, i) => i % 4 === 3 && v > 0));
    };
    for (const level of ['grid', 'village'])
        for (const z of [11, 12]) {
            const at = (row) => `${z}/${tileX(Number(row.lon), z)}/${tileY(Number(row.lat), z)}`;
            for (const target of [(tile) => `/tiles/${level}/${tile}.png`, (tile) => `/tiles/${level}/${tile}.units`, (tile) => `/tiles/${level}/${tile}.mvt`, (tile) => `/tiles/choropleth:${level}/${tile}.png?layer=hazard`, (tile) => `/tiles/choropleth:${level}/${tile}.png?layer=hazard&stat=rate&per=area`])
                assert.deepEqual([await shown(admin, target(at(far))), await shown(officer, target(at(far))), await shown(officer, target(at(near)))], [true, false, true], target(at(far)));
        }
});

test('legends and bounds of an officer', async (t) => {
    const { city } = await makeSynthetic(t, 0.004), towns = await rowsOf(city, 'town'), units = towns.slice(0, 3).map((u) => u.id);
    const [admin, ...officers] = [await token(city, 'admin'), ...await Promise.all(units.map((id) => token(city, 'officer', '--area', `town:${id}`)))], { url } = await serve(t, city);
    const most = async (who, name) => (await askAs(url, who)(`/legend/heat:${name}`)).json().most;
    for (const name of ['worker.json', 'visit.json', 'address.json?weight=residents']) {
        const all = await most(admin, name), own = await Promise.all(officers.map((who) => most(who, name)));
        assert.ok(own.every((n) => n <= all * 1.001), `${name}: ${own} of ${all}`);
        assert.ok(new Set(own).size > 1, `${name} is ${own} everywhere`);
    }
    const shared = await Promise.all([admin, ...officers].map((who) => most(who, 'hazard.json')));
    assert.equal(new Set(shared).size, 1, `${shared}`);
    // The same bounds, wherever the outermost of them is.
    const boxes = await Promise.all(['worker', 'visit', 'rental'].map(async (layer) => JSON.stringify((await askAs(url, officers[0])(`/collections/${layer}`)).json().extent.spatial.bbox)));
    assert.equal(new Set(boxes).size, 1, boxes.join(' '));
});

test('tiles elsewhere do not say that a house was written to', async (t) => {
    const { city } = await makeSynthetic(t, 0.004), houses = await rowsOf(city, 'rental'), own = houses[0].town;
    const [admin, officer] = [await token(city, 'admin'), await token(city, 'officer', '--area', `town:${own}`)], { url } = await serve(t, city), ask = askAs(url, officer);
    // The middle of a town, so that no border is near.
    const inner = (town) => {
        const of = houses.filter((h) => h.town === town), lon = of.reduce((n, h) => n + Number(h.lon), 0) / of.length, lat = of.reduce((n, h) => n + Number(h.lat), 0) / of.length;
        return of.sort((a, b) => Math.hypot(a.lon - lon, a.lat - lat) - Math.hypot(b.lon - lon, b.lat - lat))[0];
    };
    const others = [...new Set(houses.map((h) => h.town))].filter((town) => town !== own).map(inner);
    const [z, far] = [18, others.slice(0, 6)], at = (h) => {
        const n = 2 ** z, rad = (h.lat * Math.PI) / 180;
        return `${z}/${Math.floor(((Number(h.lon) + 180) / 360) * n)}/${Math.floor(((1 - Math.asinh(Math.tan(rad)) / Math.PI) / 2) * n)}`;
    };
    const tiles = (h) => [`/tiles/rental/${at(h)}.mvt`, `/tiles/rental/${at(h)}.png`, `/tiles/heat:rental/${at(h)}.png?bandwidth=100`];
    const tags = async (h) => Promise.all(tiles(h).map(async (target) => (await ask(target)).headers.etag));
    const write = async (h) => {
        const answer = await askAs(url, admin)(`/collections/rental/items/${h.id}`, { method: 'PATCH', type: MERGE, body: { type: 'Feature', properties: { level: h.level === 'strict' ? 'lenient' : 'strict' } } });
        assert.ok(answer.status < 300, answer.text());
    };
    assert.ok(far.length > 3);
    for (const house of far) {
        const before = await tags(house);
        assert.ok(before.every(Boolean));
        await write(house);
        assert.deepEqual(await tags(house), before, house.id);
        for (const [i, target] of tiles(house).entries()) assert.equal((await ask(target, { headers: { 'if-none-match': before[i] } })).status, 304, target);
    }
    // In the own town it is seen at once.
    const house = inner(own), before = await tags(house);
    await write(house);
    const after = await tags(house);
    for (const i of [0, 1]) assert.notEqual(after[i], before[i], tiles(house)[i]);
});
