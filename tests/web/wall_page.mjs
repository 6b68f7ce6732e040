// wall_page.mjs - the wall in a real browser: opened, waited for, measured.
import assert from 'node:assert/strict';
import { GL, launch as launchChromium, MOST_MS, NO_GL, onTheirWay, rest } from './chromium.mjs';
import { untilWithin } from './until.mjs';

export { skip } from './chromium.mjs';
const MEASURED = ['--enable-precise-memory-info', '--js-flags=--expose-gc'];

/** A browser; closed by whoever opens it. */
export const launch = ({ gl = true } = {}) =>
    launchChromium(null, { flags: [...MEASURED, ...(gl ? GL : NO_GL)], viewport: { width: 1920, height: 1080 }, timezoneId: 'America/New_York' });

/** A wall in it, with what it asked for and what it said. */
export async function open(context, url, { width = 1920, height = 1080 } = {}) {
    const page = await context.newPage();
    await page.setViewportSize({ width, height });
    const log = { way: onTheirWay(page), hosts: new Set(), bad: [], said: [], asked: [] };
    page.on('request', (r) => {
        if (!/^(https?|wss?):/.test(r.url())) return;
        log.hosts.add(new URL(r.url()).host);
        log.asked.push(r.url());
    });
    page.on('response', (r) => { if (r.status() >= 400) log.bad.push(`${r.status()} ${r.url()}`); });
    page.on('pageerror', (e) => log.said.push(e.message));
    page.on('console', (m) => { if (m.type() === 'error' && !/GL Driver|WebGL/.test(m.text())) log.said.push(m.text()); });
    await page.addInitScript(() => {
        window.violations = [];
        addEventListener('securitypolicyviolation', (e) => window.violations.push(`${e.violatedDirective} ${e.blockedURI}`));
    });
    await page.goto(url);
    await until('the wall stands', () => page.evaluate(() => document.body.dataset.ready === 'yes'));
    return { page, log };
}

export const until = untilWithin(MOST_MS);

/** Until every number has come. */
export const filled = (page) => until('all answers', () => page.evaluate(() => {
    const { store } = window.onemapWall;
    return store.running === 0 && [...store.entries.values()].every((e) => e.answer.status !== 'waiting') && store.entries.has('checks-share');
}));

/** When no number is on its way, nor asked for soon. */
export const quiet = (page, log) => rest(page, log.way, () => window.onemapWall.store.running > 0);

/** What the page holds, after its garbage has gone. */
export async function held(page) {
    const session = await page.context().newCDPSession(page);
    await session.send('Performance.enable');
    await session.send('HeapProfiler.collectGarbage');
    const { metrics } = await session.send('Performance.getMetrics');
    await session.detach();
    const of = Object.fromEntries(metrics.map((m) => [m.name, m.value]));
    return { heap: of.JSHeapUsedSize, listeners: of.JSEventListeners, nodes: of.Nodes };
}

/**
 * Bytes of what the page's own code holds, after its garbage has gone: objects,
 * arrays, strings and functions. What the browser holds besides (compiled code,
 * records of requests for whoever looks on) grows for long and is bounded.
 */
export async function objects(page) {
    const session = await page.context().newCDPSession(page), chunks = [];
    session.on('HeapProfiler.addHeapSnapshotChunk', ({ chunk }) => chunks.push(chunk));
    await session.send('HeapProfiler.collectGarbage');
    await session.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
    await session.detach();
    const { snapshot: { meta }, nodes } = JSON.parse(chunks.join(''));
    const size = meta.node_fields.indexOf('self_size'), types = meta.node_types[0];
    const own = new Set(['array', 'string', 'object', 'closure', 'regexp', 'number', 'symbol', 'bigint', 'concatenated string', 'sliced string']);
    let sum = 0;
    for (let i = 0; i < nodes.length; i += meta.node_fields.length) if (own.has(types[nodes[i]])) sum += nodes[i + size];
    return sum;
}

/** Reports of a city, sent again under new ids: `rate` a second for `ms`. */
export async function report(url, { rate, ms, from = 0 }) {
    const { features } = await (await fetch(`${url}/collections/hazard/items?limit=200`)).json();
    const end = Date.now() + ms;
    let sent = 0;
    for (let at = Date.now(); at < end; at += 1000 / rate) {
        const f = features[(from + sent) % features.length], id = `H-wall-${from + sent}`;
        const answer = await fetch(`${url}/collections/hazard/items`, { method: 'POST', headers: { 'Content-Type': 'application/geo+json' },
            body: JSON.stringify({ ...f, id, properties: { ...f.properties, id } }) });
        assert.equal(answer.status, 201, await answer.text());
        sent++;
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, at + 1000 / rate - Date.now())));
    }
    return sent;
}
