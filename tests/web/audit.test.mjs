// The audit of who is shown rows on maps.
//
// Plan
//   tiles: of a token and layer a line for many, with their number, deepest
//   zoom, box and rows; none where no row can be seen; a token each
//   lines: pictures and lists of coverage, one each; of an officer every tile
//   cut: a server's last line, newest and oldest file are missed
//   order: lines of several servers are told in the order of their times
import assert from 'node:assert/strict';
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { onemap } from './onemap.mjs';
import { askAs, features, groupBy, makeSynthetic, rowsOf, token } from './roles.mjs';
import { serve } from './server.mjs';

const tileOf = (lon, lat, z) => {
    const n = 2 ** z, rad = (lat * Math.PI) / 180;
    return [z, Math.floor(((lon + 180) / 360) * n), Math.floor(((1 - Math.asinh(Math.tan(rad)) / Math.PI) / 2) * n)];
};

test('who is shown rows', async (t) => {
    const { city } = await makeSynthetic(t, 0.004);
    const hazards = await rowsOf(city, 'hazard');
    const [[town]] = Object.entries(groupBy(hazards, (row) => row.town)).sort((a, b) => b[1].length - a[1].length);
    const who = { wall: await token(city, 'wall'), analyst: await token(city, 'analyst'), officer: await token(city, 'officer', '--area', `town:${town}`) };
    const id = (role) => who[role].split('.')[1];
    let server = await serve(t, city);
    const as = (role) => askAs(server.url, who[role]);
    const audit = async () => {
        const { stdout, status, stderr } = await onemap('audit', city);
        return { status, stderr, lines: stdout.trim().split('\n').filter(Boolean).map((line) => JSON.parse(line)) };
    };
    const tallies = (lines, role, layer) => lines.filter((l) => l.route === 'tiles' && l.token === id(role) && l.target.startsWith(`/tiles/${layer}?`))
        .map((l) => Object.fromEntries(new URL(l.target, 'http://x').searchParams));
    const sum = (list, key) => list.reduce((all, one) => all + Number(one[key]), 0);

    await t.test('tiles, many to a line', async () => {
        // As vector tiles say themselves: rows have ids.
        let tiles = 0, rows = 0;
        const deepest = 16, box = [180, 90, -180, -90];
        const asked = new Set(hazards.slice(0, 30).map((row) => tileOf(Number(row.lon), Number(row.lat), deepest).join('/')));
        for (const at of [...asked, ...asked]) {
            const answer = await as('wall')(`/tiles/hazard/${at}.mvt`);
            assert.equal(answer.status, 200);
            const seen = features(answer.body).filter(([name]) => name === 'hazard').length;
            assert.ok(seen);
            tiles++;
            rows += seen;
        }
        for (const row of hazards.slice(0, 30)) {
            box[0] = Math.min(box[0], row.lon); box[1] = Math.min(box[1], row.lat);
            box[2] = Math.max(box[2], row.lon); box[3] = Math.max(box[3], row.lat);
        }
        const [z, x, y] = tileOf(Number(hazards[0].lon), Number(hazards[0].lat), 15);
        for (const target of [`/tiles/hazard/${z}/${x}/${y}.png`, `/collections/hazard/tiles/WebMercatorQuad/${z}/${y}/${x}`, `/wmts/1.0.0/hazard/default/WebMercatorQuad/${z}/${y}/${x}.png`,
            `/wmts?service=WMTS&version=1.0.0&request=GetTile&layer=hazard&style=default&format=image/png&tilematrixset=WebMercatorQuad&tilematrix=${z}&tilerow=${y}&tilecol=${x}`]) {
            const answer = await as('analyst')(target);
            assert.equal(answer.status, 200, target);
            const again = await as('analyst')(target, { headers: { 'if-none-match': answer.headers.etag } });
            assert.ok([200, 304].includes(again.status));
        }
        // Units, cells, nothing at all, what is not told.
        for (const target of ['/tiles/grid/10/834/444.mvt', '/tiles/address/0/0/0.mvt', '/tiles/heat:hazard/12/3339/1778.png', '/tiles/hazard/16/1/1.mvt', '/tiles/visit/12/3339/1778.mvt', '/tiles/none/1/1/1.mvt'])
            await as('wall')(target);
        for (const target of ['/map.png?layers=hazard&width=200&height=200', '/coverage/partition?rows=true', '/coverage/workload?by=town', '/coverage/partition?rows=true'])
            assert.equal((await as('wall')(target)).status, 200, target);
        await as('officer')(`/tiles/hazard/${z}/${x}/${y}.mvt`);
        await server.stop();
        const { lines, status } = await audit();
        assert.equal(status, 0);
        const mine = tallies(lines, 'wall', 'hazard');
        // A minute may have ended in between.
        assert.ok(mine.length >= 1 && mine.length < tiles / 4, `${mine.length}`);
        assert.equal(sum(mine, 'tiles'), tiles);
        assert.equal(sum(mine, 'rows'), rows);
        assert.equal(Math.max(...mine.map((m) => Number(m.zoom))), deepest);
        const bounds = mine.map((m) => m.bbox.split(',').map(Number));
        assert.ok(Math.min(...bounds.map((b) => b[0])) <= box[0] && Math.min(...bounds.map((b) => b[1])) <= box[1]);
        assert.ok(Math.max(...bounds.map((b) => b[2])) >= box[2] && Math.max(...bounds.map((b) => b[3])) >= box[3]);
        assert.equal(sum(tallies(lines, 'analyst', 'hazard'), 'tiles'), 8);
        const wall = lines.filter((l) => l.token === id('wall'));
        for (const layer of ['grid', 'address', 'visit', 'none']) assert.deepEqual(tallies(wall, 'wall', layer), [], layer);
        assert.deepEqual(wall.filter((l) => l.route !== 'tiles').map((l) => l.target), ['/map.png?layers=hazard&width=200&height=200', '/coverage/partition?rows=true', '/coverage/partition?rows=true']);
        assert.ok(lines.some((l) => l.token === id('officer') && l.route === 'tile') && !tallies(lines, 'officer', 'hazard').length);
    });

    await t.test('what was cut is missed', async () => {
        server = await serve(t, city);
        await as('officer')('/collections/hazard/items?limit=1');
        await as('officer')('/collections/hazard/items?limit=2');
        await server.stop();
        const folder = path.join(city, 'audit'), logs = (await readdir(folder)).filter((name) => name.endsWith('.log'));
        assert.equal(logs.length, 2);
        assert.equal((await audit()).status, 0);
        for (const name of logs) {
            const at = path.join(folder, name), text = await readFile(at, 'utf8');
            await writeFile(at, text.slice(0, text.lastIndexOf('\n', text.length - 2) + 1));
            let { status, stderr } = await audit();
            assert.equal(status, 1);
            assert.match(stderr, /its last lines are gone/);
            await rm(at);
            ({ status, stderr } = await audit());
            assert.equal(status, 1);
            assert.match(stderr, /gone before its time/);
            await writeFile(at, text);
        }
        assert.equal((await audit()).status, 0);
    });
});

test('lines of several servers are in order of time', async (t) => {
    const { city } = await makeSynthetic(t, 0.001);
    const admin = await token(city, 'admin'), one = await serve(t, city), other = await serve(t, city, '--read-only');
    const asked = [];
    // Whichever of their files comes first, it cannot be told first as a whole.
    for (const [i, server] of [one, other, one, other].entries()) {
        const target = `/collections/hazard/items?limit=${i + 1}`, second = Math.floor(Date.now() / 1000);
        assert.equal((await askAs(server.url, admin)(target)).status, 200);
        asked.push(target);
        while (Math.floor(Date.now() / 1000) === second) await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await one.stop();
    await other.stop();
    const { stdout, status } = await onemap('audit', city);
    const lines = stdout.trim().split('\n').map((line) => JSON.parse(line));
    assert.equal(status, 0);
    assert.deepEqual(lines.map((line) => line.target), asked);
    assert.deepEqual(lines.map((line) => line.at), lines.map((line) => line.at).sort());
});
