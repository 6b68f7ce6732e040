// wall.mjs - the wall for a long time, at 20 changes a second: what it holds.
//
//   node tests/soak/wall.mjs CITY --onemap build/onemap --minutes 60 --rate 20
//
// Serves a copy of the city, opens the wall in a browser, sends reports, and
// measures heap, listeners and nodes after their garbage has gone, once a
// minute. Fails if the last third holds more than the first: listeners, nodes,
// or more heap, in which compiled code is, than 1 MB an hour and 5 %; or if the
// page's own objects are more at the end than after the first minutes, in which
// caches of libraries fill, by more than 1 MB an hour and 3 %.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { filled, held, launch, objects, open, report } from '../web/wall_page.mjs';

const WARM = 3;
const args = process.argv.slice(2), option = (name, value) => args.includes(name) ? args[args.indexOf(name) + 1] : value;
const minutes = Number(option('--minutes', 60)), rate = Number(option('--rate', 20)), program = option('--onemap', 'build/onemap');
const dir = await mkdtemp(path.join(tmpdir(), 'onemap-soak-wall-')), city = path.join(dir, 'city');
let server, browser, status = 0;
try {
    await cp(args[0], city, { recursive: true });
    server = spawn(program, ['serve', city, '--listen', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const url = await new Promise((resolve, reject) => {
        server.stdout.once('data', (bytes) => resolve(/http:\/\/[^/\s]+/.exec(String(bytes))[0]));
        server.once('exit', (code) => reject(new Error(`serve ended with ${code}`)));
    });
    browser = await launch();
    const { page, log } = await open(browser.context, `${url}/wall`);
    await filled(page);
    const seen = [];
    let sent = 0, begun = 0;
    for (let m = 0; m < minutes; m++) {
        sent += await report(url, { rate, ms: 60000, from: sent });
        const h = await held(page);
        seen.push(h);
        console.log(`${m + 1} min, ${sent} reports: heap ${(h.heap / 1e6).toFixed(1)} MB, ${h.listeners} listeners, ${h.nodes} nodes, ${log.asked.length} requests`);
        log.asked.length = 0;
        if (m + 1 === Math.max(1, Math.min(WARM, minutes - 1))) begun = await objects(page);
    }
    const own = await objects(page);
    if (seen.length > 3 * WARM) seen.splice(0, WARM);
    const third = Math.max(1, Math.floor(seen.length / 3)), mean = (list, of) => list.reduce((sum, s) => sum + s[of], 0) / list.length;
    const first = seen.slice(0, third), last = seen.slice(-third);
    const grown = (of) => mean(last, of) - mean(first, of);
    for (const [what, by, allowed] of [['own objects', own - begun, begun * 0.03 + minutes / 60 * 1e6], ['heap', grown('heap'), mean(first, 'heap') * 0.05 + minutes / 60 * 1e6], ['listeners', grown('listeners'), 5], ['nodes', grown('nodes'), 200]]) {
        const ok = by <= allowed;
        console.log(`${ok ? 'ok' : 'not ok'}: ${what} grew by ${by.toFixed(0)}, allowed ${allowed.toFixed(0)}`);
        if (!ok) status = 1;
    }
    for (const said of [...log.said, ...log.bad]) {
        console.log(`not ok: ${said}`);
        status = 1;
    }
} finally {
    await browser?.close();
    if (server?.exitCode === null) {
        server.kill('SIGTERM');
        await once(server, 'exit');
    }
    await rm(dir, { recursive: true, force: true });
}
process.exitCode = status;
