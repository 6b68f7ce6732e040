// server.mjs - a running server for tests, and requests no browser would send.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';

import { LATE, lateDoor } from './late.mjs';
import { PROGRAM } from './onemap.mjs';

/** Ports of servers by those of the doors before them (late.mjs): who starts again is where it was. */
const behind = new Map();

/** Start `onemap serve` on a free port; stopped when the test ends. */
export async function serve(t, city, ...args) {
    // Whoever answers late stands where the server was to be, and the server elsewhere.
    const place = LATE && args.includes('--listen') ? args.splice(args.indexOf('--listen'), 2)[1] : '', outside = Number(place.split(':').at(-1));
    const child = spawn(PROGRAM, ['serve', city, '--listen', `127.0.0.1:${behind.get(outside) ?? 0}`, ...args],
        { stdio: ['ignore', 'pipe', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (bytes) => { stderr += bytes; });
    const exited = once(child, 'exit');
    const line = await new Promise((resolve, reject) => {
        let text = '';
        child.stdout.on('data', (bytes) => {
            text += bytes;
            if (text.includes('\n')) resolve(text);
        });
        exited.then(([code]) => reject(new Error(`serve ended with ${code}: ${stderr}`)));
    });
    const url = /^onemap serve: (http:\/\/127\.0\.0\.1:\d+)\/\n$/.exec(line)?.[1];
    if (!url) throw new Error(`serve said: ${line}`);
    const port = Number(new URL(url).port), door = LATE && await lateDoor(port, outside);
    if (door) behind.set(door.port, port);
    exited.then(() => door && door.close());
    const stop = async (signal = 'SIGTERM') => {
        child.kill(signal);
        const [code, by] = await exited;
        return { code, by, stderr };
    };
    t.after(async () => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const { code, stderr: said } = await stop();
        if (code !== 0) throw new Error(`serve ended with ${code}: ${said}`);
    });
    return door ? { url: `http://127.0.0.1:${door.port}`, port: door.port, stop, child } : { url, port, stop, child };
}

/** Those in charge, of a city without tokens: {args} of serve, {auth} to send. */
export async function charge(dir) {
    const token = 'a-token-of-those-in-charge', file = path.join(dir, 'charge-token');
    await writeFile(file, `${token}\n`);
    return { args: ['--in-charge-token-file', file], auth: { authorization: `Bearer ${token}` } };
}

/** How long nothing may come: a connection that is to be closed is, sooner or later. */
const QUIET_MS = 5000, CLOSES_MS = 120e3;

/** Send bytes as they are; everything that comes back until the end, or `enough` of it. */
export function raw(port, bytes, { enough = null, waitMs = enough || /^connection: close/im.test(bytes) ? CLOSES_MS : QUIET_MS } = {}) {
    return new Promise((resolve, reject) => {
        const socket = net.connect(port, '127.0.0.1', () => socket.write(bytes, 'latin1'));
        const chunks = [];
        socket.setTimeout(waitMs, () => socket.destroy());
        socket.on('data', (chunk) => {
            chunks.push(chunk);
            if (enough?.test(Buffer.concat(chunks).toString('latin1'))) socket.destroy();
        });
        socket.on('error', (error) => error.code === 'ECONNRESET' ? undefined : reject(error));
        socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
    });
}

/** One raw request of this target; its status. */
export async function statusOf(port, target, method = 'GET') {
    const answer = await raw(port,
        `${method} ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    return Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1] ?? 0);
}
