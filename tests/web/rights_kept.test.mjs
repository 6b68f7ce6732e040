// rights_kept.test.mjs - what is kept of one role's answers for others.
//
// Plan
//   many roles that differ in one word of roles.json each (columns, persons, cell,
//   count, area, layers, export) ask one server the same, all of them, twice; each
//   is answered what a server has answered that nobody else has ever asked
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { each } from './addresses.mjs';
import { askAs, groupBy, layersOf, makeSynthetic, rowsOf, token } from './roles.mjs';
import { tileX, tileY } from './sample.mjs';
import { serve } from './server.mjs';

const f = encodeURIComponent;

/** Roles that differ as little as two can. */
function rolesOf(layers) {
    const base = { layers: ['*'], personal: 'counts', smallest_cell: 'grid', smallest_count: 10, export: true };
    const without = (layer, ...names) => ({ [layer]: layers.find((l) => l.name === layer).columns.map((c) => c.name).filter((name) => !names.includes(name)) });
    return {
        told: base, none: { ...base, personal: 'none' }, each: { ...base, personal: 'rows' }, coarse: { ...base, smallest_cell: 'village' }, more: { ...base, smallest_count: 50 },
        listed: { ...base, columns: without('address', 'residents') }, bare: { ...base, personal: 'none', columns: without('address', 'residents') }, mine: { ...base, area: ['town'] },
    };
}

function questionsOf(place, town) {
    const at = (name, z, more = '', end = 'png') => `/tiles/${name}/${z}/${tileX(place.lon, z)}/${tileY(place.lat, z)}.${end}${more && `?${more}`}`;
    const rates = ['layer=hazard&per=resident', 'layer=visit', 'layer=address&stat=sum&column=residents', 'stat=patrol&column=done', 'stat=workload&column=residents', `layer=rental&filter=${f("level = 'strict'")}`];
    return [
        ...rates.flatMap((more) => [at('choropleth:town', 9, more), `/legend/choropleth:town.json?${more}`]), ...['town', 'grid'].map((level) => at(`choropleth:${level}`, 9, 'layer=hazard&per=visit', 'units')), '/map.png?layers=choropleth:town&width=64&height=64&layer=hazard&per=resident',
        ...['heat:hazard', 'heat:rental_fire'].flatMap((name) => [at(name, 9), at(name, 9, 'per=resident'), `/value?name=${name}&lon=${place.lon}&lat=${place.lat}`]),
        at('rental', 14), at('rental', 9, '', 'mvt'), at('address', 9, 'properties=residents', 'mvt'), at('visit', 9, '', 'mvt'), '/legend/rental.json', `/nearest/hazard?lon=${place.lon}&lat=${place.lat}`, '/collections/rental/items?limit=2',
        '/stats/rental?by=level', '/stats/address?by=grid&sum=residents', '/stats/hazard?by=grid&per=resident', '/stats/visit?by=village', '/hotspots/hazard?units=town&exposure=visit', `/collections/town/items/${town}`,
    ];
}

test('an answer is whose it was asked for', async (t) => {
    const { city } = await makeSynthetic(t, 0.002), layers = await layersOf(city), rows = await rowsOf(city, 'hazard');
    const town = Object.entries(groupBy(rows.filter((row) => row.town), (row) => row.town)).sort((a, b) => b[1].length - a[1].length)[0][0];
    const file = path.join(city, 'roles.json'), roles = JSON.parse(await readFile(file, 'utf8'));
    Object.assign(roles.roles, rolesOf(layers));
    for (const role of Object.values(roles.roles)) role.rate_per_s = 0;
    await writeFile(file, JSON.stringify(roles));
    const text = {}, { lon, lat } = rows.find((row) => row.town === town);
    for (const [role, { area }] of Object.entries(roles.roles)) text[role] = await token(city, role, ...(area?.length ? ['--area', `town:${town}`] : []));
    const questions = questionsOf({ lon: Number(lon), lat: Number(lat) }, town), names = Object.keys(rolesOf(layers));
    // A city is kept up to date by one alone: its first start, too.
    const { stderr } = await (await serve(t, city)).stop();
    // One role's word is of all.
    assert.match(stderr, /more counts no fewer than 50 persons: what is told of persons changes in steps of 50 for all roles/);
    assert.equal(stderr.split('for all roles').length, 2);
    const plain = ({ status, headers, body }, url) => `${status} ${headers['content-type']} ${body.toString('latin1').replaceAll(url, '').replace(/"timeStamp":"[^"]*"/, '')}`;
    const alone = {};
    for (const role of names) {
        const server = await serve(t, city, '--read-only'), ask = askAs(server.url, text[role]), own = alone[role] = {};
        await each(questions, async (target) => { own[target] = plain(await ask(target), server.url); });
        await server.stop();
    }
    const { url } = await serve(t, city, '--read-only'), differ = [], kinds = {};
    await each(questions, async (target) => {
        for (const round of [1, 2])
            for (const role of names) {
                const said = plain(await askAs(url, text[role])(target), url);
                if (said !== alone[role][target]) differ.push(`${role}, ${round}: ${target}: ${said.slice(0, 80)} instead of ${alone[role][target].slice(0, 80)}`);
            }
        kinds[target] = new Set(names.map((role) => alone[role][target])).size;
    }, 2);
    assert.deepEqual(differ, []);
    // Roles are told apart, by most that is asked.
    const apart = Object.values(kinds).filter((n) => n > 1).length;
    assert.ok(apart > questions.length / 2, `${apart} of ${questions.length}`);
    for (const [role, own] of Object.entries(alone)) assert.ok(Object.values(own).filter((said) => said.startsWith('200')).length > 4, role);
});
