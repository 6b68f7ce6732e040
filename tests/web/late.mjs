// late.mjs - what a slower and busier machine does, tried at will:
// ONEMAP_LATE=SEED lets the servers of tests answer up to 800 ms late, each answer
// by chance, so that they overtake each other; ONEMAP_SLOW=6 gives chromium a sixth
// of its processor. Both are off by default, and every test passes with them.
import { once } from 'node:events';
import net from 'node:net';

import { random } from './onemap.mjs';

const LATE_MS = 800;
const chance = process.env.ONEMAP_LATE && random(Number(process.env.ONEMAP_LATE));
export const LATE = !!chance;

/** A door before the server at `port`: whoever comes by it is answered late. {port, close()} */
export async function lateDoor(port, at = 0) {
    const door = net.createServer({ allowHalfOpen: true }, (client) => {
        const server = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
        let asked = false, order = Promise.resolve();
        const later = (act) => {
            const ms = asked ? chance() * LATE_MS : 0;
            asked = false;
            order = order.then(() => ms && new Promise((resolve) => setTimeout(resolve, ms))).then(act);
        };
        client.on('data', (bytes) => {
            asked = true;
            server.write(bytes);
        });
        client.on('end', () => server.end());
        server.on('data', (bytes) => later(() => client.write(bytes)));
        server.on('end', () => later(() => client.end()));
        for (const [one, other] of [[client, server], [server, client]]) {
            one.on('error', () => later(() => other.destroy()));
            one.on('close', () => later(() => other.destroy()));
        }
    });
    door.listen(at, '127.0.0.1');
    await once(door, 'listening');
    return { port: door.address().port, close: () => door.close() };
}

/** Let the pages of a browser have only a part of the processor, where that is asked for. */
export function slow(context) {
    const rate = Number(process.env.ONEMAP_SLOW ?? 1);
    if (rate <= 1) return;
    const hold = async (page) => {
        const session = await context.newCDPSession(page);
        await session.send('Emulation.setCPUThrottlingRate', { rate });
    };
    // A page that is closed meanwhile needs none.
    const each = (page) => hold(page).catch((error) => { if (!page.isClosed()) throw error; });
    context.on('page', each);
    context.pages().forEach(each);
}
