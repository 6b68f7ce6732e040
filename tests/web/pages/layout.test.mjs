// Where things are on walls of any size.
//
// Plan
//   property: on hundreds of walls (sizes, screens, bezels) every panel and
//   what is read below the map lies within one screen, nothing overlaps, no
//   panel is on the map; all blocks are there
//   the map has 60 % of usual walls; words have the size that PAGES promises
//   wide walls have more columns; many small screens share what is read; the tour's place is on one screen
//   what an address says of the wall, and nonsense in it
import assert from 'node:assert/strict';
import test from 'node:test';

import { layout, meet, readWall, screensOf, unitOf } from '../../../web/pages/wall/layout.js';
import { BLOCKS } from '../../../web/pages/wall/plan.js';
import { random } from '../onemap.mjs';

const inside = (r, s) => r.x >= s.x - 0.5 && r.y >= s.y - 0.5 && r.x + r.w <= s.x + s.w + 0.5 && r.y + r.h <= s.y + s.h + 0.5;
const tiny = (r) => !r || r.w < 0.5 || r.h < 0.5;

function check(wall, at) {
    const l = layout(wall, BLOCKS), read = { ...l.panels, caption: l.caption, ticker: l.ticker };
    const whole = { x: 0, y: 0, w: wall.width, h: wall.height };
    assert.equal(Object.keys(l.panels).length, BLOCKS.length, `${at}: all panels are there`);
    for (const [key, rect] of Object.entries(read)) {
        assert.ok(rect.w > 0 && rect.h > 0 && inside(rect, whole), `${at}: ${key} is on the wall: ${JSON.stringify(rect)}`);
        assert.ok(l.screens.some((s) => inside(rect, s)), `${at}: ${key} is on one screen: ${JSON.stringify(rect)}`);
    }
    assert.ok(l.screens.some((s) => inside(l.focus, s)) && inside(l.focus, l.map), `${at}: the tour's place is on one screen of the map`);
    assert.ok(l.screens.some((s) => inside(l.stage, s)) && inside(l.focus, l.stage), `${at}: what is enlarged is on that screen`);
    for (const b of l.boards) {
        assert.ok(l.screens.some((s) => inside(b, s)) && inside(b, l.map), `${at}: what has a screen of its own is on that screen, over the map`);
        for (const [key, rect] of Object.entries(read)) assert.ok(tiny(meet(b, rect)), `${at}: a screen of its own covers ${key}`);
    }
    l.boards.forEach((a, i) => l.boards.slice(0, i).forEach((b) => assert.ok(tiny(meet(a, b)), `${at}: two screens`)));
    const keys = Object.keys(read);
    keys.forEach((a, i) => keys.slice(0, i).forEach((b) => assert.ok(tiny(meet(read[a], read[b])), `${at}: ${a} and ${b}`)));
    for (const key of Object.keys(l.panels)) assert.ok(tiny(meet(l.panels[key], l.map)), `${at}: ${key} is not on the map`);
    return l;
}

test('usual walls', () => {
    for (const [width, height] of [[1920, 1080], [3840, 2160], [7680, 4320], [7680, 2160], [5760, 1080], [11520, 2160]]) {
        const at = `${width}x${height}`, l = check({ width, height }, at);
        assert.ok(l.map.w * l.map.h >= 0.5999 * width * height, `${at}: the map has ${(l.map.w / width).toFixed(3)}`);
        assert.equal(l.unitPx, height / 54);
        for (const [key, p] of Object.entries(l.panels)) assert.ok(p.unitPx >= 0.9 * l.unitPx, `${at}: ${key} has letters of ${p.unitPx / l.unitPx}`);
    }
    const columns = (l) => new Set(Object.values(l.panels).map((p) => Math.round(p.x))).size;
    assert.equal(columns(layout({ width: 1920, height: 1080 }, BLOCKS)), 2);
    assert.equal(columns(layout({ width: 7680, height: 2160 }, BLOCKS)), 4);
});

test('walls of screens', () => {
    const next = random(11), pick = (list) => list[Math.floor(next() * list.length)];
    for (let i = 0; i < 400; i++) {
        const cols = 1 + Math.floor(next() * 8), rows = 1 + Math.floor(next() * 4), bezelX = Math.floor(next() * 50), bezelY = Math.floor(next() * 50);
        const [w, h] = pick([[1920, 1080], [1366, 768], [1080, 1920], [3840, 2160], [960, 540]]);
        const wall = { width: cols * w + (cols - 1) * bezelX, height: rows * h + (rows - 1) * bezelY, cols, rows, bezelX, bezelY };
        check(wall, `${cols}x${rows} of ${w}x${h}, ${bezelX},${bezelY}`);
    }
});

test('many small screens: sentence and legend on two, what is enlarged on screens of its own', () => {
    const l = layout({ width: 3840, height: 2160, cols: 5, rows: 3, bezelX: 30, bezelY: 22 }, BLOCKS);
    assert.notEqual(l.screens.findIndex((s) => inside(l.caption, s)), l.screens.findIndex((s) => inside(l.ticker, s)));
    assert.ok(l.boards.length >= 2 && l.boards[0].w > 0.85 * l.screens[0].w);
    // The screens in the middle come first.
    assert.ok(l.boards.slice(0, 2).every((b) => inside(b, { x: 1548, y: 0, w: 744, h: 2160 })), JSON.stringify(l.boards.slice(0, 2)));
});

test('small screens make panels shorter, and letters stay', () => {
    const smallest = (wall) => { const l = layout(wall, BLOCKS); return Math.min(...Object.values(l.panels).map((p) => p.unitPx)) / l.unitPx; };
    for (const [cols, rows, width, height, bezelX, bezelY] of [[2, 2, 1920, 1080, 30, 30], [3, 2, 3840, 2160, 40, 40], [6, 2, 7680, 2160, 40, 30], [8, 2, 7680, 2160, 20, 20], [3, 3, 1920, 1080, 20, 20], [3, 3, 3840, 2160, 30, 30], [5, 3, 3840, 2160, 30, 22], [4, 3, 5120, 2880, 20, 20], [4, 2, 7680, 2160, 24, 16], [3, 1, 5760, 1080, 60, 0], [5, 1, 4800, 1080, 20, 0]])
        assert.ok(smallest({ width, height, cols, rows, bezelX, bezelY }) > 0.999, `${cols}x${rows} ${width}x${height}`);
    assert.ok(smallest({ width: 3840, height: 2160, cols: 4, rows: 4, bezelX: 10, bezelY: 10 }) > 0.79);
    // What is narrow says so of its width.
    for (const [cols, rows, width, height] of [[1, 2, 1920, 2160], [2, 3, 3840, 3240]]) {
        const l = layout({ width, height, cols, rows, bezelX: 20, bezelY: 20 }, BLOCKS);
        assert.ok(Math.min(...Object.values(l.panels).map((p) => p.unitPx)) >= width / 94, `${cols}x${rows}`);
    }
    // Where a panel stands alone it is as tall as it likes.
    const l = layout({ width: 1920, height: 1080, cols: 3, rows: 3, bezelX: 20, bezelY: 20 }, BLOCKS);
    assert.ok(l.panels.register.short && !l.panels.sources.short && l.panels.sources.h > 15 * l.unitPx);
});

test('screens cover the wall but for the bezels', () => {
    const s = screensOf({ width: 3 * 100 + 2 * 7, height: 2 * 50 + 3, cols: 3, rows: 2, bezelX: 7, bezelY: 3 });
    assert.deepEqual(s.map((r) => [r.x, r.y, r.w, r.h]), [[0, 0, 100, 50], [107, 0, 100, 50], [214, 0, 100, 50], [0, 53, 100, 50], [107, 53, 100, 50], [214, 53, 100, 50]]);
    assert.equal(unitOf(1080, 1920), 15);
});

test('what an address says', () => {
    const read = (text) => readWall(new URLSearchParams(text));
    assert.deepEqual(read('wall=4x2&bezel=24,16'), { cols: 4, rows: 2, bezelX: 24, bezelY: 16 });
    assert.deepEqual(read('wall=3x3&bezel=12'), { cols: 3, rows: 3, bezelX: 12, bezelY: 12 });
    for (const odd of ['', 'wall=0x2', 'wall=4', 'wall=999x1', 'wall=axb&bezel=-3', 'bezel=1e9'])
        assert.deepEqual(read(odd), { cols: 1, rows: 1, bezelX: 0, bezelY: 0 });
});
