// A city that nobody has given tokens, and roles that only look.
//
// Plan
//   open: who is on its machine is told what an analyst is, and nothing about
//   single persons, by any address; writes; through a proxy nobody is let in
//   harvest: who may not export gets no register by tiles, searches and places,
//   and looks on
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { ask } from './ask.mjs';
import { askAs, bearer, features, layersOf, makeSynthetic, rowsOf, token, tile } from './roles.mjs';
import { get, tileX, tileY } from './sample.mjs';
import { raw, serve } from './server.mjs';

const at = (row, z) => `${z}/${tileX(Number(row.lon), z)}/${tileY(Number(row.lat), z)}`;

test('a city without tokens tells nobody of persons', async (t) => {
    const { city } = await makeSynthetic(t, 0.002);
    const layers = await layersOf(city), personal = layers.filter((l) => l.personal), veiled = layers.filter((l) => !l.personal && l.personal_columns?.length);
    const rows = {};
    for (const { name } of [...personal, ...veiled]) rows[name] = await rowsOf(city, name);
    assert.ok(personal.length >= 3 && veiled.length >= 2);
    const targets = ['/catalog', '/collections', '/coverage/workload?by=grid&month=2023-01', '/coverage/workload?by=village', '/coverage/patrol?by=grid', '/coverage/patrol?by=level', '/coverage/partition',
        '/stats/worker?by=grid', '/stats/worker?by=village', '/stats/visit?by=grid', '/stats/check?by=grid', '/stats/check?by=village&sum=count', '/stats/address?by=village&sum=residents', '/stats/rental?by=level',
        '/positions?by=village', '/tiles/heat:worker.json', '/legend/choropleth:town.json?stat=workload&column=workers', '/value?name=heat:address&weight=residents&lon=113.75&lat=23.02'];
    const open = await serve(t, city), nobody = askAs(open.url, '');
    for (const { name } of personal) {
        const row = rows[name].find((one) => one.lon);
        for (const target of [`/collections/${name}/items`, `/collections/${name}/items.csv`, `/collections/${name}/items/${row.id}`, `/nearest/${name}?lon=${row.lon}&lat=${row.lat}`, `/tiles/${name}/${at(row, 18)}.mvt?properties=id`, `/tiles/${name}/${at(row, 18)}.mvt?filter=id%3D'${row.id}'`])
            assert.equal((await nobody(target)).status, 401, target);
        for (const z of [10, 14, 18]) {
            const answer = await nobody(`/tiles/${name}/${at(row, z)}.mvt`);
            assert.ok(answer.status === 204 || features(answer.body).every(([layer]) => layer !== name), `${name} ${z}`);
        }
        targets.push(`/stats/${name}?by=town`, `/tiles/${name}/${at(row, 12)}.mvt`);
    }
    for (const { name, personal_columns: hidden, kinds = [] } of veiled) {
        const first = (await nobody(`/collections/${name}/items?limit=50`)).json(), [lon, lat] = first.features[0].geometry.coordinates.flat(Infinity);
        const row = { id: first.features[0].id, lon, lat };
        const single = [first.features[0], (await nobody(`/collections/${name}/items/${row.id}`)).json(), (await nobody(`/nearest/${name}?lon=${row.lon}&lat=${row.lat}`)).json().features[0]];
        for (const column of hidden) {
            for (const feature of [...first.features, ...single]) assert.ok(!(column in feature.properties), `${name}.${column}`);
            assert.ok(!(await nobody(`/collections/${name}/items.csv?limit=1`)).text().split('\n')[0].split(',').includes(column));
            assert.ok(!(column in (await nobody(`/collections/${name}/queryables`)).json().properties));
            for (const z of [14, 18]) {
                const answer = await nobody(`/tiles/${name}/${at(row, z)}.mvt`);
                if (answer.status === 200) for (const [, properties] of features(answer.body)) assert.ok(!Object.keys(properties).some((key) => key === column || key.startsWith(`${column}:`)), `${name} ${z}`);
            }
            for (const target of [`/collections/${name}/items?filter=${column}%20IS%20NOT%20NULL`, `/collections/${name}/items?sortby=${column}`, `/collections/${name}/items?properties=${column}`, `/tiles/${name}/${at(row, 18)}.mvt?properties=${column}`, `/tiles/${name}/${at(row, 18)}.png?by=${column}`,
                ...(kinds.includes(column) ? [] : [`/stats/${name}?by=${column}`])])
                assert.ok([400, 401].includes((await nobody(target)).status), target);
        }
        targets.push(`/collections/${name}/items?limit=5`, `/tiles/${name}/${at(row, 16)}.mvt`, `/stats/${name}?by=village`);
    }
    for (const target of ['/coverage/patrol?rows=true', '/coverage/service?areas=true&limit=3&f=geojson']) assert.ok([400, 401].includes((await nobody(target)).status), target);
    // What the city's layers are to it names no column that may neither be seen nor counted by.
    const about = (await nobody('/catalog')).json(), { duty } = about;
    assert.ok(!/"duty_grid"/.test(JSON.stringify({ ...about, layers: [] })));
    assert.deepEqual([duty.reports, duty.workers.layer, duty.checks.worker, duty.targets[0].level], [{ layer: 'hazard' }, 'worker', undefined, 'level']);
    assert.deepEqual([duty.checks.month, duty.checks.count, duty.visits.at, about.exposures.resident.weight], ['month', 'count', 'at', 'residents']);
    // Through another program, that may speak for anybody: as any stranger.
    for (const [name, value] of [['forwarded', 'host=a.example; For=192.0.2.1'], ['forwarded', 'proto=https;by=203.0.113.43'], ['forwarded', 'host=city.example'], ['forwarded', ''],
        ['x-forwarded-for', '192.0.2.1'], ['x-forwarded-host', 'localhost'], ['x-forwarded-proto', 'https'], ['x-forwarded-port', '443'], ['x-forwarded-anything', 'x'],
        ['x-real-ip', '192.0.2.1'], ['via', '1.1 proxy'], ['cf-connecting-ip', '192.0.2.1'], ['cf-ray', 'x'], ['true-client-ip', '192.0.2.1'], ['x-client-ip', '192.0.2.1'], ['cdn-loop', 'x'], ['wl-proxy-client-ip', '192.0.2.1'], ['x-forward-for', '192.0.2.1'], ['x-nginx-proxy', 'true'], ['front-end-https', 'on'], ['eagleid', 'x']])
        for (const [target, status] of [['/collections', 401], ['/', 401], ['/health', 200]])
            assert.equal((await get(open.url + target, { headers: { [name]: value } })).status, status, `${name} ${target}`);
    // Programs of this machine say whom they ask; an old proxy does not.
    for (const [head, status] of [['', 401], ['Host: localhost\r\n', 200]])
        assert.match(await raw(open.port, `GET /collections HTTP/1.0\r\n${head}\r\n`), new RegExp(`^HTTP/1\\.\\d ${status} `), head);
    const strange = { id: 'N-2', type: 'Feature', geometry: null, properties: { id: 'N-2' } };
    assert.equal((await ask(`${open.url}/collections/tip/items`, { method: 'POST', headers: { forwarded: 'host=x' }, body: strange })).status, 401);
    const tip = (await nobody('/collections/tip/items?limit=1')).json().features[0];
    const written = await ask(`${open.url}/collections/tip/items`, { method: 'POST', body: { ...tip, id: 'N-1', properties: { ...tip.properties, id: 'N-1' } } });
    assert.equal(written.status, 201, written.text());
    assert.equal((await ask(`${open.url}/collections/tip/items/N-1`, { method: 'DELETE' })).status, 204);
    await open.stop();

    // Whatever there is for nobody is what there is for an analyst.
    const again = await serve(t, city), before = {};
    for (const target of targets) before[target] = await askAs(again.url, '')(target);
    await again.stop();
    const analyst = await token(city, 'analyst'), admin = await token(city, 'admin'), closed = await serve(t, city);
    assert.deepEqual((await askAs(closed.url, admin)('/catalog')).json().duty, JSON.parse(await readFile(path.join(city, 'city.json'), 'utf8')).duty);
    const plain = (answer) => answer.body.toString('latin1').replaceAll(/127\.0\.0\.1:\d+/g, 'HOST').replace(/"timeStamp":"[^"]*"/, '');
    for (const target of targets) {
        const answer = await askAs(closed.url, analyst)(target);
        if (answer.status === 404) assert.equal(before[target].status, 401, target);
        else assert.deepEqual([before[target].status, plain(before[target])], [answer.status, plain(answer)], target);
    }
});

test('who only looks takes no register away', async (t) => {
    const { city } = await makeSynthetic(t, 0.004);
    const rows = await rowsOf(city, 'address'), wall = await token(city, 'wall'), other = await token(city, 'wall'), analyst = await token(city, 'analyst');
    const { url } = await serve(t, city), as = (who) => askAs(url, who);
    const tiles = [...new Set(rows.map((row) => at(row, 16)))], began = Date.now(), seen = new Set();
    assert.ok(rows.length > 40000);
    // Not faster than requests are taken.
    const look = async (who, target) => {
        for (;;) {
            const answer = await as(who)(target);
            if (answer.status !== 429 || !/too many requests/.test(answer.text())) return answer;
            await new Promise((resolve) => setTimeout(resolve, 200));
        }
    };
    let last, fullest, told = 0, most = 0;
    for (const place of tiles) {
        last = await look(wall, `/tiles/address/${place}.mvt?properties=id,text`);
        if (last.status !== 200) break;
        const texts = features(last.body).filter(([layer]) => layer === 'address');
        for (const [, properties] of texts) seen.add(properties.text);
        told += texts.length;
        if (texts.length > most) [most, fullest] = [texts.length, place];
    }
    const saved = () => 20000 + most + 20 * (Date.now() - began) / 1000;
    assert.equal(last.status, 429, `${told} rows of ${tiles.length} tiles`);
    assert.ok(Number(last.headers['retry-after']) >= 1);
    assert.ok(told > 10000 && told <= saved() && seen.size <= told, `${told}`);
    // A little comes in while others are asked; a tile takes more than that.
    const refused = async (target) => {
        for (let i = 0; i < 20; i++) {
            await look(wall, `/tiles/address/${fullest}.mvt?properties=id,text`);
            if ((await look(wall, target)).status === 429) return;
        }
        assert.fail(`${target} goes on`);
    };
    // Nor in another way: kept tiles, all columns, other addresses, searches, pages.
    const [z, x, y] = tiles[0].split('/'), row = rows[0];
    for (const target of [`/tiles/address/${tiles[0]}.mvt?properties=id,text`, `/tiles/address/${tiles[0]}.mvt`, `/tiles/address/${tiles[0]}.pbf?properties=text`, `/tiles/address/${tiles[0]}.mvt?properties=id`, `/tiles/hazard/${at((await rowsOf(city, 'hazard'))[0], 14)}.mvt?properties=severity,id`, `/collections/address/tiles/WebMercatorQuad/${z}/${y}/${x}?f=mvt`,
        `/collections/address/items?limit=10`, `/collections/address/items/${row.id}`, `/nearest/address?lon=${row.lon}&lat=${row.lat}`, `/search?q=${encodeURIComponent(row.text)}`, `/reverse?lon=${row.lon}&lat=${row.lat}`])
        await refused(target);
    // What the picture is drawn from, and what there is of units, goes on.
    for (const target of [`/tiles/address/${tiles[0]}.mvt?properties=`, `/tiles/hazard/${tiles[0]}.mvt?properties=severity`, `/tiles/address/${tiles[0]}.png`, `/tiles/grid/${tiles[0]}.mvt`, '/stats/address?by=town', '/search?q=a&layers=town'])
        assert.ok([200, 204].includes((await look(wall, target)).status), target);
    // ... and has no ids, nor do documents say so; who may export gets them, and so do units.
    const drawn = await look(wall, `/tiles/address/${tiles[0]}.mvt?properties=`), whole = await look(analyst, `/tiles/address/${tiles[0]}.mvt?properties=`), addresses = (answer) => tile(answer.body).address;
    assert.ok(addresses(drawn).length > 0 && addresses(drawn).length === addresses(whole).length);
    for (let i = 0; i < addresses(drawn).length; i++) {
        const [bare, named] = [drawn, whole].map((answer) => addresses(answer).feature(i));
        assert.deepEqual([bare.id, Object.keys(bare.properties)], [undefined, []]);
        assert.deepEqual([Object.keys(named.properties), bare.loadGeometry()], [['id'], named.loadGeometry()]);
    }
    for (const [who, fields] of [[wall, []], [analyst, ['id']]]) assert.deepEqual(Object.keys((await look(who, '/tiles/address.json?properties=')).json().vector_layers[0].fields), fields);
    assert.ok(features((await look(wall, `/tiles/town/${at(row, 10)}.mvt?properties=`)).body).some(([layer, p]) => layer === 'town' && p.id));
    // Others have their own; who may export takes what is theirs.
    const kept = await as(other)(`/tiles/address/${tiles[0]}.mvt?properties=id,text`);
    assert.equal(kept.status, 200);
    const unchanged = await get(`${url}/tiles/address/${tiles[0]}.mvt?properties=id,text`, { headers: { ...bearer(wall), 'if-none-match': kept.headers.etag } });
    assert.equal(unchanged.status, 304);
    // With a token it may come through others, whose words no link is made of.
    const relayed = await get(`${url}/catalog`, { headers: { ...bearer(analyst), forwarded: 'host=evil.example' } });
    assert.ok(relayed.status === 200 && !relayed.text().includes('evil'));
    let all = 0;
    for (const place of tiles.slice(0, 600)) all += features((await look(analyst, `/tiles/address/${place}.mvt?properties=id,text`)).body).filter(([layer]) => layer === 'address').length;
    assert.ok(all > 0);
});
