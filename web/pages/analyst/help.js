// @ts-check
// help.js - the keys, in a dialogue.

import {element} from '../dom.js';

/** @param {{key: string, text: string}[]} keys @param {(key: any) => string} say */
export function helpDialog(keys, say) {
  const close = element('button', {type: 'button', className: 'plain', onclick: () => dialog.close()}, say('close'));
  const dialog = element('dialog', {className: 'help', ariaLabel: say('help')},
    element('h2', {}, say('keys')),
    element('dl', {}, ...keys.flatMap(({key, text}) => [element('dt', {}, element('kbd', {}, key)), element('dd', {}, text)])),
    element('p', {className: 'quiet'}, say('help_keys')), element('p', {className: 'quiet'}, say('help_link')), element('p', {className: 'row'}, close));
  dialog.addEventListener('click', (e) => { if (e.target === dialog) dialog.close(); });
  document.body.append(dialog);
  return dialog;
}
