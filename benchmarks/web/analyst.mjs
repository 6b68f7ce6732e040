// analyst.mjs - the analyst's page in a browser without a graphics card.
//
//   node analyst.mjs URL CHROMIUM
//
// Of each size of window: how soon the first useful picture stands (the first
// tile of the heat over the base map), how soon all tiles and the table are
// there, each visit with an empty cache; then frames while somebody drags the
// map of the whole city and of a town, for some six seconds each: their gaps by
// the clock, and the longest task of the page and of the compositor by the
// processor, which other work on the machine does not lengthen. So of a period of
// six weeks that is dragged over half a year, for some four seconds each: a heat
// map, grids by their counts, points, and two periods side by side; how many of
// its steps are drawn in a second, and what was asked for in bytes before it could
// move.
// One line a measurement: name|operations|p50 s|p99 s|longest s|note
import { createRequire } from 'node:module';
import path from 'node:path';

const { chromium } = createRequire(path.resolve('web/pages/package.json'))('playwright-core');
const [, , url, executablePath = '/usr/bin/chromium'] = process.argv;
const SIZES = [[1440, 900], [1920, 1080], [3840, 2160]], VISITS = 7, LATE_MS = 50, STEPS = 360, STEP_MS = 16, SCRUBS = 240;
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-3d-apis', '--disable-quic', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

const rest = (ms) => new Promise((done) => setTimeout(done, ms));
const sorted = (values) => [...values].sort((a, b) => a - b);
const at = (values, p) => values[Math.min(values.length - 1, Math.floor(values.length * p))] ?? 0;
function say(name, times, note = '') {
    const s = sorted(times);
    console.log([name, s.length, ...[0.5, 0.99, 1].map((p) => (at(s, p) / 1e3).toFixed(6)), note].join('|'));
}

/** What stands when, from the first request on; runs in the page. */
function watch() {
    const marks = window.marks = {};
    const look = () => {
        const now = performance.now(), cells = document.querySelectorAll('#map .plane canvas').length;
        // A tile of the heat has come, and what was drawn with it is on the screen.
        if (!marks.first && cells && performance.getEntriesByType('resource').some((e) => e.name.includes('/tiles/heat:') && e.responseEnd)) marks.first = now;
        if (!marks.table && document.querySelectorAll('#table tr').length) marks.table = now;
        if (!marks.all && cells > 3 && document.getElementById('busy')?.hidden) marks.all = now;
        if (!marks.all || !marks.table) requestAnimationFrame(look);
    };
    performance.setResourceTimingBufferSize(4000);
    requestAnimationFrame(look);
}

async function visit(browser, [width, height]) {
    const context = await browser.newContext({ viewport: { width, height }, locale: 'zh-CN' }), page = await context.newPage();
    await page.addInitScript(watch);
    await page.goto(`${url}/analyst`);
    await page.waitForFunction(() => window.marks.all && window.marks.table, null, { timeout: 60000 });
    return { context, page, marks: await page.evaluate(() => window.marks) };
}

/** Frames while something is dragged for some seconds: their gaps and the longest task of each thread, ms. */
async function traced(browser, page, drag) {
    const client = await browser.newBrowserCDPSession(), events = [];
    client.on('Tracing.dataCollected', (e) => events.push(...e.value));
    await client.send('Tracing.start', { transferMode: 'ReportEvents', traceConfig: { includedCategories: ['toplevel'] } });
    await page.evaluate(() => {
        let last = performance.now();
        window.gaps = [];
        window.frames = true;
        const frame = () => {
            const now = performance.now();
            window.gaps.push(now - last);
            last = now;
            if (window.frames) requestAnimationFrame(frame);
        };
        requestAnimationFrame(frame);
    });
    await drag();
    const gaps = await page.evaluate(() => {
        window.frames = false;
        return window.gaps.slice(1);
    });
    const done = new Promise((resolve) => { client.once('Tracing.tracingComplete', resolve); });
    await client.send('Tracing.end');
    await done;
    await client.detach();
    const names = new Map(events.filter((e) => e.name === 'thread_name').map((e) => [`${e.pid}/${e.tid}`, e.args.name]));
    let task = 0, thread = '';
    for (const e of events)
        if (e.tdur / 1000 > task && /^(CrRendererMain|Compositor|VizCompositorThread|CrGpuMain)$/.test(names.get(`${e.pid}/${e.tid}`) ?? '')) [task, thread] = [e.tdur / 1000, names.get(`${e.pid}/${e.tid}`)];
    return { gaps, task, thread };
}

/** Drag the map around. */
const pan = (browser, page, [width, height]) => traced(browser, page, async () => {
    const x = width / 2, y = height / 2 - 50;
    await page.mouse.move(x, y);
    await page.mouse.down();
    for (let k = 0; k < STEPS; k++) {
        await page.mouse.move(x + width / 6 * Math.sin(k / 12), y + height / 8 * Math.cos(k / 15) - height / 8);
        await rest(STEP_MS);
    }
    await page.mouse.up();
});

/** Drag a period to and fro, over half a year. */
async function scrub(browser, page, name, hash) {
    let bytes = 0, requests = 0;
    page.on('response', async (r) => {
        if (!/\.days\?|\.units\?|series=day/.test(r.url())) return;
        requests++;
        bytes += (await r.request().sizes().catch(() => null))?.responseBodySize ?? 0;
    });
    await page.evaluate((to) => { location.hash = to; }, `${hash}&time=2023-01-10/2023-02-20`);
    await page.waitForFunction(() => document.querySelectorAll('#days rect').length > 100, null, { timeout: 60000 });
    await rest(4000);
    const box = await page.locator('#days').boundingBox(), days = await page.evaluate(() => document.querySelectorAll('#days rect').length);
    const to = (day) => page.mouse.move(box.x + (day + 0.5) / days * box.width, box.y + box.height / 2);
    await to(20);
    await rest(4000);
    await page.evaluate(() => {
        window.steps = 0;
        new MutationObserver((list) => { window.steps += list.length; }).observe(document.getElementById('days'), { attributes: true, attributeFilter: ['data-drawn'] });
    });
    let took = 0;
    const { gaps, task, thread } = await traced(browser, page, async () => {
        const begun = performance.now();
        await page.mouse.down();
        for (let k = 0; k < SCRUBS; k++) {
            await to(20 + (days - 45) * (0.5 - 0.5 * Math.cos(k / SCRUBS * 2 * Math.PI)));
            await rest(STEP_MS);
        }
        took = (performance.now() - begun) / 1e3;
        await page.mouse.up();
    }), steps = await page.evaluate(() => window.steps), late = gaps.filter((g) => g > LATE_MS).length;
    say(name, gaps, `${late} of ${gaps.length} above ${LATE_MS} ms; ${(steps / took).toFixed(0)} steps drawn a second; ${requests} requests, ${(bytes / 1e3).toFixed(0)} kB; longest task ${task.toFixed(1)} ms of the processor (${thread})`);
}

const browser = await chromium.launch({ executablePath, args: FLAGS });
try {
    for (const size of SIZES) {
        const name = size.join(' x '), marks = [];
        await (await visit(browser, size)).context.close(); // tiles that nobody has asked for yet
        for (let i = 0; i < VISITS; i++) {
            const v = await visit(browser, size);
            marks.push(v.marks);
            await v.context.close();
        }
        say(`first useful picture, ${name}`, marks.map((m) => m.first));
        say(`all tiles, ${name}`, marks.map((m) => m.all));
        say(`table, ${name}`, marks.map((m) => m.table));
        const { context, page } = await visit(browser, size);
        await rest(1500);
        for (const where of ['city', 'town']) {
            if (where === 'town') {
                await page.mouse.move(size[0] / 2, size[1] / 2);
                await page.mouse.wheel(0, -500);
                await rest(4000);
            }
            const { gaps, task, thread } = await pan(browser, page, size), late = gaps.filter((g) => g > LATE_MS).length;
            say(`frame while panning, ${where}, ${name}`, gaps, `${late} of ${gaps.length} above ${LATE_MS} ms (${(100 * late / gaps.length).toFixed(2)} %); longest task ${task.toFixed(1)} ms of the processor (${thread})`);
        }
        await context.close();
    }
    const size = SIZES[1];
    for (const [what, hash] of [['heat', 'layer=hazard&layers=heat'], ['grids', 'layer=hazard&layers=choropleth&units=grid'], ['points', 'layer=hazard&layers=hazard'], ['two periods', 'layer=hazard&layers=heat&compare=previous']]) {
        const { context, page } = await visit(browser, size);
        await scrub(browser, page, `frame while a period is dragged, ${what}, ${size.join(' x ')}`, hash);
        await context.close();
    }
} finally {
    await browser.close();
}
