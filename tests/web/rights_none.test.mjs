// rights_none.test.mjs - roles that are told nothing of persons.
//
// Plan
//   what weighs or filters by columns about persons (rates, models, sums, fields)
//   is answered by each address word for word as what does not exist, and no list
//   names it; a role that is told counts gets it from the same server
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { askAs, groupBy, makeSynthetic, rowsOf, token } from './roles.mjs';
import { tileX, tileY } from './sample.mjs';
import { serve } from './server.mjs';

test('who is told nothing of persons gets no map of them', async (t) => {
    const { city } = await makeSynthetic(t, 0.001), rows = await rowsOf(city, 'hazard'), file = path.join(city, 'roles.json'), roles = JSON.parse(await readFile(file, 'utf8'));
    const town = Object.entries(groupBy(rows.filter((row) => row.town), (row) => row.town)).sort((a, b) => b[1].length - a[1].length)[0][0], { lon, lat } = rows.find((row) => row.town === town);
    const base = { layers: ['*'], smallest_cell: 'grid', smallest_count: 10, export: true };
    Object.assign(roles.roles, { told: { ...base, personal: 'counts' }, none: { ...base, personal: 'none' }, some: { ...base, layers: ['address', 'building', 'rental', 'premises', 'town', 'village', 'grid', 'hazard', 'tip'], personal: 'none' }, mine: { ...base, personal: 'none', area: ['town'] } });
    await writeFile(file, JSON.stringify(roles));
    const text = {};
    for (const role of ['told', 'none', 'some', 'mine']) text[role] = await token(city, role, ...(role === 'mine' ? ['--area', `town:${town}`] : []));
    const { url } = await serve(t, city), as = Object.fromEntries(Object.entries(text).map(([role, one]) => [role, askAs(url, one)]));
    const z = 9, at = `${z}/${tileX(Number(lon), z)}/${tileY(Number(lat), z)}`, place = `lon=${lon}&lat=${lat}`;
    const maps = (name) => [`/tiles/heat:${name}/${at}.png`, `/tiles/heat:${name}/${at}.days`, `/tiles/heat:${name}.json`, `/legend/heat:${name}.json`, `/value?name=heat:${name}&${place}`, `/map.png?layers=heat:${name}&width=64&height=64`, `/styles/heat:${name}.json`, `/density/${name}.tif?cell=2000`];
    const per = (name) => [`/tiles/heat:hazard/${at}.png?per=${name}`, `/legend/heat:hazard.json?per=${name}`, `/value?name=heat:hazard&${place}&per=${name}`, `/tiles/choropleth:town/${at}.png?layer=hazard&per=${name}`, `/legend/choropleth:town.json?layer=tip&per=${name}`,
        `/stats/hazard?per=${name}`, `/stats/hazard?by=town&per=${name}`, `/density/hazard.tif?cell=2000&per=${name}`, `/hotspots/hazard?units=town&per=${name}`];
    const column = (name) => [`/tiles/heat:rental/${at}.png?weight=${name}`, `/stats/rental?by=town&sum=${name}`, `/stats/rental?by=${name}`, `/tiles/choropleth:town/${at}.png?layer=rental&stat=sum&column=${name}`, `/collections/rental/items?properties=${name}`, `/tiles/rental/${at}.mvt?by=${name}`, `/hotspots/hazard?units=town&exposure=rental:${name}`];
    let told = 0;
    for (const [make, names] of [[maps, ['rental_fire', 'appeals', 'overall']], [per, ['resident']], [column, ['residents', 'level']]])
        for (const name of names)
            for (const role of ['none', 'some', 'mine']) {
                const nothing = 'x'.repeat(name.length), there = make(name), never = make(nothing);
                for (const [i, target] of there.entries()) {
                    const [one, two] = [await as[role](target), await as[role](never[i])];
                    assert.equal(one.status, two.status, `${role} ${target}: ${one.text().slice(0, 200)}`);
                    assert.ok([400, 404].includes(one.status), `${role} ${target}: ${one.status}`);
                    assert.equal(one.text().replaceAll(name, nothing), two.text(), `${role} ${target}`);
                    told += role === 'none' && (await as.told(target)).status === 200;
                }
            }
    assert.ok(told > 12, `${told}`);
    for (const role of ['none', 'some', 'mine'])
        for (const target of ['/catalog', '/collections', '/collections/rental', '/collections/rental/queryables', '/styles/rental.json']) {
            const answer = await as[role](target);
            assert.equal(answer.status, 200);
            assert.doesNotMatch(answer.text(), /"resident"|"residents"(?!:)|level_since|rental_fire/, `${role} ${target}`);
            // Nor their values, or what they add up to.
            if (target === '/catalog') assert.deepEqual(answer.text().match(/.{0,90}(lenient|prohibited|居民"|宽管).{0,30}/g), null, role);
        }
    const start = async (role) => JSON.parse((await as[role]('/?f=json')).text());
    const { community, service } = await start('none'), less = await start('some');
    assert.deepEqual([community.centres, community.organisations, community.activities, service.layer], ['service_centre', 'organisation', 'activity', 'service_centre']);
    assert.ok(community.matters.list.length);
    assert.equal(less.service, undefined);
    assert.deepEqual(Object.keys(less.community).sort(), Object.keys(community).filter((key) => !['centres', 'organisations', 'activities', 'matters'].includes(key)).sort());
});
