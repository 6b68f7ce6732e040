// @ts-check
// words.js - what the sheet says, in two languages. Pure.

/** @typedef {'zh-CN' | 'en'} Language */

const WORDS = {
  title: ['逾期巡查清单', 'Overdue visits'], synthetic: ['合成数据', 'Synthetic data'], as_of: ['数据截至', 'Data as of'], judged: ['判定时刻', 'Judged at'],
  choose: ['请选择网格', 'Choose a grid'], none_chosen: ['请选择', 'choose'], print: ['打印', 'Print'], copy: ['复制链接', 'Copy link'], copied: ['已复制', 'Copied'],
  csv: ['下载 CSV', 'Download CSV'], language: ['English', '中文'], all: ['全部', 'All'], what: ['对象', 'What'],
  number: ['序号', 'No.'], place: ['地址或名称', 'Address or name'], kind: ['类别', 'Kind'], level: ['等级', 'Level'], last: ['上次巡查', 'Last visit'],
  never: ['无记录', 'no record'], near: ['附近:{address}', 'near {address}'], days: ['逾期天数', 'Days late'], visits: ['已巡/应巡', 'Done/due'], result: ['结果', 'Result'], note: ['备注', 'Note'],
  visited: ['已巡', 'visited'], nobody: ['无人', 'nobody in'], refused: ['拒入', 'refused'], hazard: ['有隐患', 'hazard'],
  patrols: ['巡查清单', 'Visits'], rows: ['明细', 'Rows'], rows_all: ['共{n}行', '{n} rows'], rows_of: ['共{n}行,列前{m}行', '{n} rows; the first {m} are listed'], withheld: ['部分列无权查看', 'some columns are not for this role'], no_row: ['没有这样的记录。', 'There are no such rows.'], no_list: ['这个地址不是清单。', 'This address lists no rows.'],
  total: ['共{n}处逾期', '{n} overdue'], total_of: ['共{n}处逾期,按逾期天数列前{m}处', '{n} overdue; the {m} longest are listed'], worker: ['网格管理员', 'Worker'], date: ['日期', 'Date'], signature: ['签名', 'Signature'],
  empty: ['这个网格没有逾期的出租屋和场所。', 'Nothing is overdue in this grid.'], loading: ['正在读取…', 'Loading…'],
  forbidden: ['没有权限', 'Not for this role'],
  forbidden_why: ['逐户清单涉及个人信息,仅供本辖区网格管理员和管理员打印。请用网格管理员(officer)或管理员(admin)令牌打开此页。',
    'A list of single houses is about persons: officers of the area and administrators may print it. Open this page with the token of an officer or an admin.'],
  no_token: ['请先用令牌登录:在地址后加 ?token=… 打开一次。', 'A token is needed: open the address once with ?token=… behind it.'],
  no_duty: ['这座城市没有巡查任务(city.json: duty)。', 'This city has no patrol duty (city.json: duty).'],
  missing: ['没有这个单元,或不在您的辖区内。', 'There is no such unit, or it is not in your area.'],
  failed: ['读不到数据:{why}', 'Cannot be read: {why}'], again: ['再试一次', 'Try again'], period: ['考核期', 'Period'], page_note: ['逐户信息,用后销毁', 'About single houses: destroy after use'],
};

/** @param {Language} lang @param {keyof typeof WORDS} key @param {Record<string, any>} [values] */
export function say(lang, key, values = {}) {
  return WORDS[key][lang === 'en' ? 1 : 0].replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ''));
}

/** 2023-06-27 or 2023-06-26 14:05, of an ISO moment in its own zone. @param {string | null} iso @param {boolean} [withTime] */
export function when(iso, withTime = false) {
  const m = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d))?/.exec(iso ?? '');
  return !m ? '' : withTime && m[2] ? `${m[1]} ${m[2]}` : m[1];
}

/** Title of a layer, value or unit. @param {Language} lang @param {{title?: string, title_en?: string, name?: string, id?: string}} thing */
export const titleOf = (lang, thing) => (lang === 'en' ? thing.title_en || thing.title : thing.title || thing.title_en) || thing.name || thing.id || '';
