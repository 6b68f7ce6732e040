// onemap simulate: a synthetic city goes on living.
//
// Plan
//   the plan: the same for the same seed; every row is one of the register,
//   moved by whole weeks and up to half an hour, steps in order; steps of the
//   register's own rows go on from where each is
//   played into a server: its rows are the plan's, as they are by then, also
//   after a stop in between; the clock moves; workers are seen in their grids
//   after days: as many open, of each age, overdue and resolved as at the start;
//   as many resolved in a day as reported, also late ones, through all steps;
//   what is brought daily has been
//   a server that says 503 slows the city down; one that wants a token gets it
//   Ctrl-C ends it cleanly; what it cannot play is told
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import test from 'node:test';

import { done, folder, onemap, PROGRAM } from './onemap.mjs';
import { get, makeCity } from './sample.mjs';
import { serve } from './server.mjs';
import { untilWithin } from './until.mjs';

const until = untilWithin(120e3);

const lines = (text) => text.trim().split('\n').map((l) => JSON.parse(l));
const seconds = (iso) => Date.parse(iso) / 1000;
const STEPS = ['reported', 'accepted', 'dispatched', 'resolved', 'verified'];
const WEEK = 7 * 86400, CLOCK = '2023-06-27T00:00:00+08:00';

async function city(t) {
    const dir = await folder(t), city = path.join(dir, 'city');
    await done('synth', path.join(dir, 'src'), '--scale', '0.01', '--quiet');
    await done('import', city, '--all', path.join(dir, 'src'), '--quiet');
    return { dir, city };
}

/** Rows of a plan as they are at its end. */
function rowsOf(plan) {
    const rows = new Map();
    for (const { layer, step, feature } of plan) {
        const key = `${layer}/${feature.id}`;
        if (!step) rows.set(key, { ...feature, properties: { ...feature.properties } });
        else if (rows.has(key)) Object.assign(rows.get(key).properties, feature.properties);
    }
    return rows;
}

/** Counts of what was said about reports: the register's at its clock, or a server's now. */
function standing(features, total, now) {
    const open = features.filter((f) => !f.properties.resolved).map((f) => f.properties);
    const of = (test) => open.filter(test).length, age = (p) => now - seconds(p.reported);
    return { open: open.length, total, old: of((p) => age(p) > 14 * 86400), overdue: of((p) => seconds(p.due) < now), serious: of((p) => p.severity >= 3) };
}

async function staysAsItWas(register, url, charge) {
    const rows = async (filter) => {
        const said = (await get(`${url}/collections/hazard/items?${new URLSearchParams({ filter, limit: 10000 })}`, charge)).json();
        assert.equal(said.features.length, said.numberMatched);
        return said.features;
    };
    const now = seconds((await get(`${url}/?f=json`)).json().clock), days = (now - seconds(CLOCK)) / 86400;
    const played = await rows(`reported >= TIMESTAMP('${CLOCK}')`);
    const then = standing(register, register.length, seconds(CLOCK));
    const after = standing(await rows('resolved IS NULL'), register.length + played.length, now);
    const seen = JSON.stringify({ days, then, after });
    // Within four times the root of what is counted, which chance alone does.
    for (const name of ['open', 'old', 'overdue', 'serious'])
        assert.ok(Math.abs(after[name] - then[name]) < 4 * Math.sqrt(then[name]) && after[name], `${name}: ${seen}`);
    assert.ok(Math.abs(after.open / after.total - then.open / then.total) < 0.006, seen);
    // In a day as many as in one of the register's last weeks.
    const daily = register.filter((f) => seconds(f.properties.reported) >= seconds(CLOCK) - 4 * WEEK).length / 28;
    const resolved = await rows(`resolved >= TIMESTAMP('${CLOCK}')`);
    for (const [what, n] of [['reported', played.length], ['resolved', resolved.length]])
        assert.ok(n > 0.6 * daily * days && n < 1.5 * daily * days, `${what} ${n}, ${daily} a day: ${seen}`);
    for (const { id, properties: p } of resolved) {
        const steps = STEPS.slice(0, 4).map((name) => seconds(p[name]));
        assert.ok(steps.every((at, i) => at >= (steps[i - 1] ?? 0)), `${id} ${JSON.stringify(p)}`);
        assert.ok(steps[3] <= now && (!p.verified || seconds(p.verified) >= steps[3]));
    }
    const own = resolved.filter((f) => !/-/.test(f.id));
    assert.ok(own.length > 0.2 * daily, `${own.length} of the register's own`);
    assert.ok(own.some((f) => f.properties.resolved > f.properties.due), 'some late');
    // What comes daily came this morning or, before it, yesterday; what is live, within the hour.
    const all = (await get(`${url}/collections?f=json`, charge)).json().collections;
    const brought = all.filter((c) => c.rhythm === 'daily'), { as_of: worker } = all.find((c) => c.id === 'worker');
    assert.ok(brought.length >= 6, `${brought.length}`);
    for (const { id, as_of: of } of brought) assert.ok(seconds(of) > now - 1.5 * 86400, `${id} of ${of}`);
    assert.ok(seconds(worker) > now - 3600, `workers of ${worker}`);
}

test('a synthetic city goes on living', async (t) => {
    const { dir, city: at } = await city(t);
    const text = await done('simulate', at, '--print', 36);
    const plan = lines(text);
    const hazards = JSON.parse(await done('query', at, 'hazard', '--format', 'geojson')).features;

    await t.test('the plan is the register, moved', async () => {
        assert.equal(await done('simulate', at, '--print', 36), text);
        assert.notEqual(await done('simulate', at, '--print', 36, '--seed', 2), text);
        assert.ok(plan.length > 400, `${plan.length}`);
        assert.ok(plan.every((h, i) => !i || seconds(h.at) >= seconds(plan[i - 1].at)));
        assert.ok(plan.every((h) => seconds(h.at) >= seconds(CLOCK) && seconds(h.at) <= seconds(CLOCK) + 36 * 3600));
        const layers = new Set(plan.filter((h) => !h.step).map((h) => h.layer));
        assert.deepEqual([...layers].sort(), ['appeal', 'hazard', 'tip', 'visit']);
        const register = new Map();
        for (const layer of layers)
            for (const f of JSON.parse(await done('query', at, layer, '--format', 'geojson')).features) register.set(`${layer}/${f.id}`, f);
        const time = { hazard: 'reported', visit: 'at', appeal: 'opened', tip: 'at' };
        let seen = 0;
        for (const { at: when, layer, step, feature } of plan.filter((h) => !h.step)) {
            const old = register.get(`${layer}/${feature.id.replace(/-1$/, '')}`), column = time[layer];
            assert.ok(old, feature.id);
            assert.equal(step, 0);
            const moved = seconds(when) - seconds(old.properties[column]);
            assert.ok(Math.abs(moved - 4 * WEEK) <= 1800, `${feature.id} moved by ${moved}`);
            assert.equal(feature.properties[column], when);
            for (const name of ['kind', 'department', 'item', 'severity', 'worker', 'target_id', 'found', 'channel'])
                assert.deepEqual(feature.properties[name] ?? null, old.properties[name] ?? null);
            const [lon, lat] = feature.geometry.coordinates, [x, y] = old.geometry.coordinates;
            assert.ok(Math.hypot((lon - x) * 102500, (lat - y) * 111000) < 15);
            if (layer === 'hazard') {
                assert.equal(feature.properties.status, 'reported');
                assert.equal(seconds(feature.properties.due) - seconds(when), seconds(old.properties.due) - seconds(old.properties.reported));
                assert.ok(!('accepted' in feature.properties));
                const steps = plan.filter((h) => h.step && h.layer === layer && h.feature.id === feature.id);
                for (const [i, s] of steps.entries()) {
                    const { status } = s.feature.properties;
                    assert.ok(seconds(s.at) >= seconds(i ? steps[i - 1].at : when), `${feature.id} ${status}`);
                    assert.equal(s.feature.properties[status], s.at);
                    assert.equal(s.feature.geometry, undefined);
                    seen++;
                }
                assert.deepEqual(steps.map((s) => s.feature.properties.status),
                    ['accepted', 'dispatched', 'resolved', 'verified'].slice(0, steps.length));
            }
        }
        assert.ok(seen > 30, `${seen} steps`);
        let late = 0;
        const made = new Map();
        for (const { at: when, step, feature } of plan.filter((h) => h.layer === 'hazard' && h.step && !/-/.test(h.feature.id))) {
            const old = register.get(`hazard/${feature.id}`).properties, { status } = feature.properties;
            const before = made.get(feature.id) ?? old.status;
            assert.equal(STEPS.indexOf(status), STEPS.indexOf(before) + 1, `${feature.id} ${before} ${status}`);
            assert.equal(STEPS.indexOf(status), step);
            assert.equal(feature.properties[status], when);
            for (const name of STEPS.slice(1, STEPS.indexOf(old.status) + 1)) assert.equal(feature.properties[name], old[name]);
            made.set(feature.id, status);
            late += status === 'resolved' && when > old.due;
        }
        assert.ok(late > 3, `${late} late`);
    });

    await t.test('played into a server, with a stop in between', async (t) => {
        await writeFile(path.join(dir, 'token'), 'a-token-of-those-in-charge\n');
        const token = ['--in-charge-token-file', path.join(dir, 'token')];
        const { url } = await serve(t, at, ...token);
        const play = async (...args) => JSON.parse(await done('simulate', at, '--url', url, ...token, '--quiet', ...args));
        const first = await play('--speed', 7200, '--for', 4);
        assert.ok(first.rows > 1 && !first.refused && !first.missing, JSON.stringify(first));
        const second = await play('--speed', 20000, '--for', 4);
        assert.ok(seconds(second.clock) > seconds(first.clock) + 12 * 3600, JSON.stringify([first, second]));
        assert.equal(second.refused + second.missing, 0);
        assert.ok(second.fixes > 0);
        const clock = (await get(`${url}/?f=json`)).json().clock;
        const upto = seconds(clock);
        const played = plan.filter((h) => seconds(h.at) <= upto), rows = rowsOf(played);
        assert.ok(upto <= seconds(second.clock) && played.length > 200);
        const charge = { headers: { Authorization: 'Bearer a-token-of-those-in-charge' } };
        for (const layer of ['hazard', 'tip', 'appeal', 'visit']) {
            const { features } = (await get(`${url}/collections/${layer}/items?limit=10000&datetime=${CLOCK.replace('+', '%2B')}/..`, charge)).json();
            const expected = [...rows].filter(([key]) => key.startsWith(`${layer}/`)).map(([, row]) => row);
            assert.deepEqual(features.map((f) => f.id).sort(), expected.map((r) => r.id).sort(), layer);
            for (const f of features) {
                const row = rows.get(`${layer}/${f.id}`);
                for (const [name, value] of Object.entries(row.properties)) assert.deepEqual(f.properties[name], value, `${f.id} ${name}`);
                assert.ok(f.properties.town, 'joined with the units');
            }
        }
        const seen = (await get(`${url}/positions?by=grid`, charge)).json();
        assert.ok(seen.groups.some((g) => g.connected !== null), 'fixes have come from some grids');
        let now = upto;
        while (now < seconds(CLOCK) + 60 * 3600) {
            const more = await play('--speed', 20000, '--for', 4);
            assert.equal(more.refused + more.missing, 0, JSON.stringify(more));
            now = seconds(more.clock);
        }
        await staysAsItWas(hazards, url, charge);
        const others = (await get(`${url}/positions?by=grid`)).json();
        assert.ok(others.groups.every((g) => !(g.connected > 0 && g.connected < 10)), 'few are not told to all');
    });
    await t.test('Ctrl-C', async (t) => {
        const { url } = await serve(t, at);
        const child = spawn(PROGRAM, ['simulate', at, '--url', url, '--speed', '100', '--quiet'], { stdio: ['ignore', 'pipe', 'pipe'] });
        let said = '';
        child.stdout.on('data', (c) => { said += c; });
        await until('it plays', async () => /^onemap_requests_total\{route="(?!metrics)\w+",status="2xx"\} [1-9]/m.test((await get(`${url}/metrics`)).text()));
        child.kill('SIGINT');
        const [code] = await once(child, 'exit');
        assert.equal(code, 0);
        assert.ok('rows' in JSON.parse(said));
    });
    await t.test('back-pressure', async (t) => {
        const asked = [];
        let busy = 0;
        const server = http.createServer((request, response) => {
            let body = '';
            request.on('data', (c) => { body += c; });
            request.on('end', () => {
                if (request.url === '/?f=json') return response.end(JSON.stringify({ synthetic: true, clock: '2023-06-27T10:00:00+08:00' }));
                if (busy++ % 3 < 2) {
                    response.writeHead(busy % 2 ? 503 : 429, { 'retry-after': '1' });
                    return response.end();
                }
                asked.push({ method: request.method, url: request.url, headers: request.headers, body });
                response.end(JSON.stringify({ taken: 1, refused: 0 }));
            });
        });
        server.listen(0, '127.0.0.1');
        await once(server, 'listening');
        t.after(() => server.close());
        const said = JSON.parse(await done('simulate', at, '--url', `http://127.0.0.1:${server.address().port}`, '--quiet',
            '--in-charge-token-file', path.join(dir, 'token'), '--speed', 600, '--for', 8));
        assert.ok(said.waited_s > 3 && asked.length > 1, JSON.stringify(said));
        // Standing still, the clock has not gone on.
        assert.ok(seconds(said.clock) - seconds('2023-06-27T10:00:00+08:00') <= (said.seconds - said.waited_s + 2.5) * 600, JSON.stringify(said));
        assert.ok(asked.every((a) => a.headers.authorization === 'Bearer a-token-of-those-in-charge'));
        for (const a of asked.filter((q) => q.url === '/positions'))
            for (const fix of lines(a.body)) assert.deepEqual(Object.keys(fix), ['worker', 'lon', 'lat', 'at', 'on_duty']);
        assert.ok(asked.filter((a) => a.url !== '/positions').every((a) => a.headers['city-clock']));
    });
});

test('what cannot be played', async (t) => {
    const { city: real } = await makeCity(t), { city: at } = await city(t);
    for (const [args, said] of [[[real, '--url', 'http://127.0.0.1:1'], /not synthetic/], [[at, '--url', 'ftp://x'], /--url/], [[at, '--url', 'http://'], /--url/],
        [[at, '--print', '1', '--from', '2023-06-27'], /--from/], [[at, '--print', '1', '--from', 'x'], /--from/], [[at, '--print', '1', '--from', '2019-01-01'], /nothing happened/]]) {
        const { status, stderr } = await onemap('simulate', ...args);
        assert.equal(status, 1, args.join(' '));
        assert.match(stderr, said);
        assert.match(stderr, /^onemap simulate: [^\n]*\n$/);
    }
    for (const args of [[], [at], [at, '--url', 'http://x', '--speed', '0'], [at, '--url', 'http://x', '--for', 'x'], [at, '--url', 'http://x', '--seed', '1.5']])
        assert.equal((await onemap('simulate', ...args)).status, 2, args.join(' '));
    const help = await done('help', 'simulate');
    for (const option of ['--url', '--from', '--speed', '--for', '--seed', '--print', '--in-charge-token-file', '--no-positions'])
        assert.ok(help.includes(option), option);
    assert.ok(!(await readFile(path.join(at, 'city.json'), 'utf8')).includes('simulat'));
});
