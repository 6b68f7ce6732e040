// What a server says to whoever starts it, and where it finds its pages.
//
// Plan
//   links lead to the address that --url gives, else to its own; the cookie behind one
//     lasts no longer than the browser, as its token lasts no longer than the server
//   limits in roles.json that say less than they seem to are told, at the start and at SIGHUP
//   the pages are found from wherever the program lies in its folders
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { ask as get } from './ask.mjs';
import { PROGRAM, done, folder } from './onemap.mjs';
import { serve } from './server.mjs';
import { untilWithin } from './until.mjs';

const until = untilWithin(120e3);
const ROLES = { layers: ['*'], personal: 'counts', smallest_cell: 'grid', smallest_count: 10 };

async function makeCity(t) {
    const dir = await folder(t), city = path.join(dir, 'city'), box = [[113, 22], [114, 22], [114, 23], [113, 23], [113, 22]];
    await writeFile(path.join(dir, 'grid.geojson'), JSON.stringify({ type: 'FeatureCollection', features: [{ type: 'Feature', properties: { id: 'G', name: 'Grid' }, geometry: { type: 'Polygon', coordinates: [box] } }] }));
    await done('import', city, 'grid', path.join(dir, 'grid.geojson'), '--as', 'unit:grid', '--id', 'id');
    return { dir, city };
}

/** Start it in a folder of its own and wait until it has said `enough`; {text, url}. */
async function start(t, program, args, enough, cwd) {
    const child = spawn(program, ['serve', ...args, '--listen', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'pipe'], cwd });
    t.after(() => child.kill());
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => { text += bytes; });
    await until('started', () => enough.test(text) || child.exitCode !== null);
    return { text, url: /^onemap serve: (http:\S+)\/$/m.exec(text)?.[1] };
}

test('links are for those who have the address', async (t) => {
    const { city } = await makeCity(t);
    for (const [url, beginning] of [['https://map.example', 'https://map.example/'], ['https://map.example:8443/', 'https://map.example:8443/'], [null, null]]) {
        const { text, url: own } = await start(t, PROGRAM, [city, '--read-only', '--links', ...(url ? ['--url', url] : [])], /admin .*token=\S+\n/);
        const links = [...text.matchAll(/^ {2}(wall|analyst|admin) +(\S*?)(wall|analyst|)\?token=(\S+)$/gm)];
        assert.deepEqual(links.map(([, role]) => role), ['wall', 'analyst', 'admin'], text);
        for (const [, role, before, page, token] of links) {
            assert.equal(before, beginning ?? `${own}/`, text);
            assert.equal(page, role === 'admin' ? '' : role);
            const [cookie] = (await get(`${own}/${page}?token=${token}`)).headers['set-cookie'];
            assert.match(cookie, /; HttpOnly; SameSite=Strict/);
            assert.doesNotMatch(cookie, /Max-Age|Expires/i);
            assert.equal(/; Secure/.test(cookie), !!url);
        }
    }
});

test('limits of roles that say less than they seem to', async (t) => {
    const { city } = await makeCity(t), file = path.join(city, 'roles.json');
    const roles = (more) => writeFile(file, JSON.stringify({ roles: { sound: ROLES, ...more } }));
    await roles({ few: { ...ROLES, smallest_count: 1 }, odd: { ...ROLES, smallest_cell: 'building' } });
    const server = await serve(t, city);
    let said = '';
    server.child.stderr.on('data', (bytes) => { said += bytes; });
    await roles({ later: { ...ROLES, smallest_count: 9, smallest_cell: 'house' } });
    server.child.kill('SIGHUP');
    await until('reloaded', () => said.includes('reloaded'));
    assert.match(said, /roles\.json: later: smallest_count 9 is taken as 10/);
    assert.match(said, /roles\.json: later: smallest_cell 'house' is no level of units/);
    assert.doesNotMatch(said, /sound/);
    const { stderr } = await server.stop();
    assert.match(stderr, /warn roles: roles\.json: few: smallest_count 1 is taken as 10/);
    assert.match(stderr, /warn roles: roles\.json: odd: smallest_cell 'building' is no level of units/);
    assert.doesNotMatch(stderr, /sound/);
});

test('pages are beside the program', async (t) => {
    const { dir, city } = await makeCity(t);
    for (const [program, pages] of [['a/build/onemap', 'a/web/pages'], ['b/build/release/onemap', 'b/web/pages'], ['c/bin/onemap', 'c/share/onemap/pages']]) {
        for (const one of [path.dirname(program), pages]) await mkdir(path.join(dir, one), { recursive: true });
        await copyFile(PROGRAM, path.join(dir, program));
        await writeFile(path.join(dir, pages, 'index.html'), `<!doctype html>${pages}`);
        const { url, text } = await start(t, path.join(dir, program), [city, '--read-only'], /^onemap serve: .*\n/m, dir);
        assert.equal((await get(`${url}/?f=html`)).text(), `<!doctype html>${pages}`, text);
    }
});
