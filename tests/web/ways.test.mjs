// Minutes along the roads, from one place: /nearest with a mode, and /reach.
//
// Plan
//   nearest: its first row is what coverage service says of the same place, by
//   both modes; rows by minutes; filters; off the roads; a city without roads
//   reach: a place is in it if /nearest says that the minutes suffice; the
//   place of a centre, both ways; more minutes, more area; kept, and unkept
//   what is wrong is named
import assert from 'node:assert/strict';
import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { done, folder } from './onemap.mjs';
import { get } from './sample.mjs';
import { serve } from './server.mjs';

/** Is a place in a (multi)polygon? */
function holds({ type, coordinates }, [x, y]) {
    let inside = false;
    for (const ring of (type === 'Polygon' ? [coordinates] : coordinates).flat())
        for (let i = 0; i + 1 < ring.length; i++) {
            const [[ax, ay], [bx, by]] = [ring[i], ring[i + 1]];
            if ((ay > y) !== (by > y) && x < ax + (y - ay) / (by - ay) * (bx - ax)) inside = !inside;
        }
    return inside;
}

test('ways', async (t) => {
    const dir = await folder(t), src = path.join(dir, 'src'), city = path.join(dir, 'city');
    await done('synth', src, '--scale', 0.004, '--quiet');
    await done('import', city, '--all', src, '--quiet');
    const { url } = await serve(t, city, '--read-only');
    const near = async (q, layer = 'service_centre') => (await get(`${url}/nearest/${layer}?${q}`)).json();

    for (const mode of ['walk', 'ebike'])
        await t.test(`nearest ${mode}: what coverage says of the same places`, async () => {
            const { rows } = JSON.parse(await done('coverage', city, 'service', '--rows', '--mode', mode, '--format', 'json', '--quiet'));
            let off = 0;
            for (const row of rows.filter((_, i) => i % 97 === 0)) {
                const answer = await near(`lon=${row.lon}&lat=${row.lat}&k=3&mode=${mode}&properties=name`);
                assert.equal(answer.mode, mode);
                assert.equal(answer.over, 'road');
                assert.equal(answer.name_zh, { walk: '步行', ebike: '骑电动车' }[mode]);
                assert.equal(answer.off, row.class === 'off');
                const [first, second, third] = answer.features.map((f) => f.properties);
                off += answer.off;
                if (first.minutes === null) continue;
                // lon and lat of a row are to a centimetre.
                assert.ok(Math.abs(first.minutes - row.minutes) < 0.011, `${first.minutes}, not ${row.minutes}`);
                assert.ok(first.way_m >= first.distance_m * 0.999);
                const took = [first, second, third].map((p) => p.minutes ?? Infinity);
                assert.ok(took[0] <= took[1] && took[1] <= took[2]);
            }
            assert.ok(off < 5);
        });
    await t.test('nearest: filters, limits of time, none straight', async () => {
        const [lon, lat] = (await near('lon=113.75&lat=23.04&k=1')).features[0].geometry.coordinates;
        const here = `lon=${lon}&lat=${lat}`;
        const open = await near(`${here}&k=5&mode=walk&filter=${encodeURIComponent("opening_hours LIKE 'Mo-Sa%'")}`);
        assert.ok(open.features.length === 5 && open.features.every((f) => f.properties.opening_hours.startsWith('Mo-Sa')));
        const soon = await near(`${here}&k=5&mode=walk&minutes=1`);
        assert.ok(soon.features[0].properties.minutes < 0.1, 'at its door');
        assert.ok(soon.features.slice(1).some((f) => f.properties.minutes === null && f.properties.way_m === null));
        const straight = (await near(`${here}&k=2`)).features[0].properties;
        assert.ok(!('minutes' in straight) && straight.distance_m < 1);
        const away = await near('lon=114.9&lat=22.9&k=2&mode=walk');
        assert.equal(away.off, true);
        assert.deepEqual(away.features.map((f) => f.properties.minutes), [null, null]);
        const gathering = await near(`${here}&k=4&mode=ebike`, 'activity');
        assert.ok(gathering.features.every((f) => f.properties.minutes >= 0));
    });
    await t.test('reach: the places whose minutes suffice', async () => {
        const { features: [centre] } = await near('lon=113.75&lat=23.04&k=1');
        const [lon, lat] = centre.geometry.coordinates, only = `&k=1&filter=id='${centre.id}'`;
        let before = 0;
        for (const [mode, minutes] of [['walk', 10], ['walk', 20], ['ebike', 10]]) {
            const answer = await get(`${url}/reach?lon=${lon}&lat=${lat}&minutes=${minutes}&mode=${mode}`);
            assert.match(answer.headers['content-type'], /^application\/geo\+json/);
            const { geometry, properties } = answer.json();
            assert.deepEqual([properties.minutes, properties.mode, properties.off], [minutes, mode, false]);
            assert.ok(properties.area_km2 > before);
            before = properties.area_km2;
            let judged = 0, wrong = 0, inside = 0;
            const span = (mode === 'walk' ? 80 : 250) * minutes / 100000;
            for (let i = 0; i < 150; i++) {
                const at = [lon + span * (((i * 0.6180339) % 1) * 2 - 1), lat + span * (((i * 0.7548777) % 1) * 2 - 1)];
                const took = (await near(`lon=${at[0]}&lat=${at[1]}&mode=${mode}${only}`)).features[0].properties.minutes ?? Infinity;
                if (Math.abs(took / minutes - 1) < 0.15) continue;
                judged++;
                inside += holds(geometry, at);
                wrong += holds(geometry, at) !== took < minutes;
            }
            assert.ok(wrong <= 0.04 * judged && inside > 15, `${wrong} of ${judged} wrong, ${inside} inside`);
        }
        const away = (await get(`${url}/reach?lon=114.9&lat=22.9`)).json();
        assert.deepEqual([away.geometry, away.properties.off, away.properties.area_km2], [null, true, 0]);
    });
    await t.test('without roads: straight, and a circle', async () => {
        const copy = path.join(dir, 'bare'), file = path.join(copy, 'city.json');
        await cp(city, copy, { recursive: true });
        const document = JSON.parse(await readFile(file, 'utf8'));
        delete document.service.roads;
        await writeFile(file, JSON.stringify(document));
        const { url: bare } = await serve(t, copy, '--read-only');
        const answer = (await get(`${bare}/nearest/service_centre?lon=113.75&lat=23.04&k=3&mode=walk`)).json();
        assert.equal(answer.over, 'straight x 1.3');
        for (const { properties: p } of answer.features)
            assert.ok(Math.abs(p.minutes - p.distance_m * 1.3 / 80) < 0.006);
        const { geometry, properties } = (await get(`${bare}/reach?lon=113.75&lat=23.04&mode=walk`)).json();
        assert.equal(properties.over, 'straight x 1.3');
        assert.ok(Math.abs(properties.area_km2 - Math.PI * (0.8 / 1.3) ** 2) < 0.02);
        assert.ok(holds(geometry, [113.75, 23.0455]) && !holds(geometry, [113.75, 23.0465]));
    });
    await t.test('what is wrong is named', async () => {
        const here = 'lon=113.75&lat=23.04';
        for (const [target, parameter] of [[`nearest/service_centre?${here}&mode=car`, 'mode'], [`nearest/service_centre?${here}&minutes=5`, 'minutes'],
            [`nearest/service_centre?${here}&mode=walk&minutes=0`, 'minutes'], [`nearest/service_centre?${here}&mode=walk&minutes=241`, 'minutes'],
            [`nearest/road?${here}&mode=walk`, 'mode'], [`reach?${here}&mode=car`, 'mode'], ['reach?lon=113', 'lat'], ['reach?lat=23', 'lon'],
            [`reach?${here}&minutes=61`, 'minutes'], [`reach?${here}&minutes=nan`, 'minutes'], [`reach?${here}&filter=a`, 'filter']]) {
            const answer = await get(`${url}/${target}`);
            assert.equal(answer.status, 400, target);
            assert.equal(answer.json().parameter, parameter, target);
        }
    });
});
