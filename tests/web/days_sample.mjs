// days_sample.mjs - hazards of a synthetic city by day, and what tests of tiles of
// days and of what draws them have in common.
import assert from 'node:assert/strict';

import { askAs, known, makeSynthetic, token } from './roles.mjs';
import { tileX, tileY } from './sample.mjs';
import { serve } from './server.mjs';

export const dayOf = (date) => Date.parse(`${date.slice(0, 10)}T00:00:00Z`) / 864e5;
export const dateOf = (day) => new Date(day * 864e5).toISOString().slice(0, 10);

/** West, south, east, north of a tile, its last positions left out as those of the box's east are not. */
export function boxOf(z, x, y) {
    const n = 2 ** z, lon = (v) => v / n * 360 - 180, lat = (v) => Math.atan(Math.sinh(Math.PI * (1 - 2 * v / n))) * 180 / Math.PI, bit = 1e-9;
    return [lon(x) + bit, lat(y + 1) + bit, lon(x + 1) - bit, lat(y) - bit].join();
}

/** A city that is served: {city, url, as, ask, get, LON, LAT, at}. `as` asks by
 *  role, `ask` as an analyst, `get` for what there is, as JSON; LON and LAT are where
 *  hazards are most, so that there is something on every zoom, at(z) is the tile there. */
export async function hazardsServed(t, roles) {
    const { city } = await makeSynthetic(t, 0.01);
    const who = await Promise.all(roles.map((role) => token(city, role)));
    const { url } = await serve(t, city), as = Object.fromEntries(roles.map((role, i) => [role, askAs(url, who[i])])), ask = as.analyst;
    const get = async (target, by = ask) => {
        const answer = await by(target);
        assert.equal(answer.status, 200, `${target}: ${answer.text().slice(0, 300)}`);
        return answer.json();
    };
    const grids = (await get('/stats/hazard?by=grid')).groups.filter((g) => g.id), most = grids.sort((a, b) => b.count - a.count)[0].id;
    const [LON, LAT] = (await get(`/collections/hazard/items?grid=${most}&limit=1`)).features[0].geometry.coordinates;
    return { city, url, as, ask, get, LON, LAT, at: (z) => `${z}/${tileX(LON, z)}/${tileY(LAT, z)}` };
}

/** Who has the town with most hazards: {officer, count}. */
export async function officerOfMost({ city, url, get }, by) {
    const towns = (await get('/stats/hazard?by=town', by)).groups.filter((g) => g.id && g.count), { id, count } = towns.sort((a, b) => b.count - a.count)[0];
    const officer = askAs(url, await token(city, 'officer', '--area', `town:${id}`));
    await known(officer);
    return { officer, count };
}

/** One hazard more, like the first. */
export async function writeHazard({ as, get }, id, coordinates = null) {
    const { features: [{ geometry, properties }] } = await get('/collections/hazard/items?limit=1', as.admin);
    const written = await as.admin('/collections/hazard/items', { method: 'POST', body: { type: 'Feature', id, geometry: coordinates ? { ...geometry, coordinates } : geometry, properties: { ...properties, id } } });
    assert.equal(written.status, 201, written.text());
}

/** A hazard more makes the tiles of `layer` new that it lies in, and no other; `count` tells how many a tile has. */
export async function checkNews(served, layer, id, count) {
    const { as, LON, LAT, at } = served, [near, far, wide] = [at(15), `15/${tileX(LON - 0.15, 15)}/${tileY(LAT, 15)}`, at(9)].map((place) => `/tiles/${layer}/${place}.days`);
    const tags = () => Promise.all([near, far, wide].map(async (target) => (await as.admin(target)).headers.etag ?? ''));
    const before = await tags(), had = await count(wide);
    await writeHazard(served, id, [LON, LAT]);
    const after = await tags();
    assert.notEqual(after[0], before[0]);
    assert.equal(after[1], before[1]);
    assert.notEqual(after[2], before[2]);
    assert.equal(await count(wide), had + 1);
}

/** Of each [target, statuses, word]: refused with one of these, and the reason has the word. */
export async function checkRefused(ask, cases) {
    for (const [target, statuses, word] of cases) {
        const answer = await ask(target);
        assert.ok(statuses.includes(answer.status), `${target}: ${answer.status} ${answer.text().slice(0, 200)}`);
        assert.match(answer.json().detail, word, target);
    }
}

/** Who may not see a map may not see its days, in the same words; some may be `excused` for what they say. */
export async function checkAsMap(ask, target, role, excused = null) {
    const map = await ask(target('png')), days = await ask(target('days')), what = `${role} ${target('days')}`;
    if (map.status === 200) {
        assert.ok([200, 204].includes(days.status) || excused?.test(days.text()), `${what}: ${days.text()}`);
    } else {
        assert.equal(days.status, map.status, what);
        assert.equal(days.json().detail, map.json().detail, what);
    }
}

/** Bytes that are no tile are none, whatever is wrong: cut off at each of the first
 *  `cuts` and then with `stride` between, one too many, `times` with others, half of these
 *  among the first `head`. `check` looks at what is read of them all the same. */
export function checkBroken(bytes, read, { cuts, stride, times, head, next, check }) {
    read(bytes);
    for (let n = 0; n < bytes.length; n += 1 + (n > cuts) * stride) assert.throws(() => read(bytes.subarray(0, n)), RangeError, `${n} of ${bytes.length}`);
    assert.throws(() => read(Uint8Array.from([...bytes, 0])), RangeError);
    for (let i = 0; i < times; i++) {
        const other = bytes.slice();
        for (let k = 0; k <= i % 4; k++) other[Math.floor(next() * (i % 2 ? head : other.length))] = Math.floor(next() * 256);
        try {
            check(read(other));
        } catch (error) {
            assert.ok(error instanceof RangeError, error.stack);
        }
    }
}
