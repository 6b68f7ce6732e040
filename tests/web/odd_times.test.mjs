// A time far before all others takes no answer about those away.
//
// Plan
//   beside rows of the years 1 and 1960, in memory and in files, series, tiles
//   of days and emerging hotspots of all time are those of the newest days and
//   steps, and say so; what is older is in none of them; periods that are asked
//   for are refused if they are too long
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';

import { done } from './onemap.mjs';
import { SOUTH, WEST, get, makeCity, tileX, tileY } from './sample.mjs';
import { serve } from './server.mjs';

const row = (id, at) => JSON.stringify({ type: 'Feature', id, geometry: { type: 'Point', coordinates: [WEST + 0.05, SOUTH + 0.05] },
    properties: { id, kind: 'shop', weight: 1, at } });

async function ask({ url }, target, status = 200) {
    const answer = await get(url + target);
    assert.equal(answer.status, status, `${target}: ${answer.body}`);
    return answer;
}

/** Numbers of a unit by day; those of days that nothing is told of are 0. */
const byDay = ({ first, groups }) => new Map(groups.flatMap(({ id, series }) => series.flatMap((n, d) =>
    n ? [[`${id} ${Date.parse(first) / 86400000 + d}`, n]] : [])));

test('one odd time takes no answer about all others away', { timeout: 120000 }, async (t) => {
    const { dir, city } = await makeCity(t), server = await serve(t, city, '--beat', '86400');
    const series = '/stats/place?by=square&series=day', days = `/tiles/heat:place/9/${tileX(WEST + 0.05, 9)}/${tileY(SOUTH + 0.05, 9)}.days?bandwidth=800`;
    const before = (await ask(server, series)).json();
    assert.equal(before.earlier, undefined);
    const whole = (await ask(server, days)).body;
    const posted = await fetch(`${server.url}/collections/place/items`, { method: 'POST', headers: { 'Content-Type': 'application/x-ndjson' },
        body: `${row('OLD', '0001-01-01T12:00:00+08:00')}\n${row('1960', '1960-05-05T12:00:00+08:00')}\n` });
    assert.equal(posted.status, 200);

    async function check(from) {
        const now = (await ask(from, series)).json();
        assert.equal(now.earlier, 2);
        assert.equal(now.days, 1100);
        assert.deepEqual(byDay(now), byDay(before));
        assert.ok((await ask(from, days)).body.length >= whole.length);
        for (const step of ['', '&step=day', '&step=week']) {
            const found = (await ask(from, `/hotspots/place?units=square&stat=emerging${step}`)).json();
            assert.ok(found.from > '1900', found.from);
            assert.ok(found.to.startsWith('2023-04-2'), found.to);
        }
        for (const target of [`${series}&datetime=1950-01-01/2023-04-30`, `${days}&datetime=1950-01-01/2023-04-30`])
            assert.equal((await get(from.url + target)).status, 422, target);
        const late = (await ask(from, `${series}&datetime=2023-01-01/2023-04-30`)).json();
        assert.deepEqual(byDay(late), byDay(before));
    }
    await check(server);
    await server.stop();
    const file = path.join(dir, 'place.geojson'), anew = path.join(dir, 'anew');
    await done('query', city, 'place', '--format', 'geojson', '--out', file);
    await done('import', anew, 'square', path.join(dir, 'units.geojson'), '--as', 'unit:square', '--quiet');
    await done('import', anew, 'place', file, '--time', 'at', '--quiet');
    await check(await serve(t, anew, '--beat', '86400'));
});
