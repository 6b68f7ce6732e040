// rights_area.test.mjs - of units whoever has an area is told of its own only.
//
// Plan
//   lists: of units of every level, by counts, by work and as rows, an officer of
//   a village gets the village, its grids (empty ones, too) and the one town that
//   it lies in; none is "unmanned" because it is somebody else's
import assert from 'node:assert/strict';
import test from 'node:test';

import { askAs, makeSynthetic, rowsOf, token } from './roles.mjs';
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
