// @ts-check
// words.js - what the wall says, in two languages, and numbers as each writes
// them. Pure.

import {MONTHS} from '../text.js';

/** @typedef {'zh-CN' | 'en'} Language */

const WORDS = {
  register: ['底数', 'Register'], loop: ['隐患闭环', 'Closed loop'], open: ['未处置', 'Open'], patrol: ['四级巡查', 'Patrols'], premises: ['三小场所', 'Premises'],
  checks: ['人口核查', 'Checks'], participation: ['群众参与', 'Participation'], service: ['服务', 'Service'], sources: ['数据', 'Sources'], ranking: ['镇街排名', 'Towns'],
  reported: ['上报', 'Reported'], resolved: ['处置', 'Resolved'], rate: ['处置率', 'Share'], open_now: ['未处置', 'Open'], today: ['今日', 'Today'], usual: ['常日', 'usual day'],
  due: ['应巡', 'Due'], done: ['已巡', 'Done'], overdue: ['逾期', 'Late'], unknown: ['未知', 'Unk.'], level: ['等级', 'Level'], houses: ['户数', 'Houses'],
  due_is: ['{m}应巡次数', 'visits due in {m}'], done_is: ['{m}已巡次数', 'of them made'], overdue_is: ['现在逾期{unit}数', 'late now'], unknown_is: ['不能判断的{unit}数', 'that cannot be judged'],
  visits_in: ['{m} · {k}次', '{m} visits'], state_now: ['现在{dot}{k}{unit}', 'now'],
  late: ['逾期', 'late'], by_hour: ['每小时', 'by hour'], age0: ['1天内', '<1 day'], age1: ['1–7天', '1–7 d'], age2: ['7–30天', '7–30 d'], age3: ['30天以上', '>30 d'],
  per_worker: ['每人每月核查', 'per worker'], norm: ['达标', 'reach'], workers_reach: ['达到{n}条的比例', 'of workers reach {n}'],
  checks_sum: ['累计核查', 'checks in all'], workers_in: ['{m}有核查的网格管理员', 'workers with checks in {m}'], days_of: ['{n}天', '{n} d'],
  in_tens: ['取整到十', 'in tens'], all: ['总体', 'all'], intervals: ['┆{a} ─95%', '┆ {a} ─ 95 %'], days_short: ['近{n}天', '{n} d'], no_rows: ['无权查看明细', 'rows are not for this screen'], open_map: ['在分析页打开', 'Open in the analyst\'s page'], open_list: ['打开清单', 'Open the list'], shown_of: ['前{a}行,共{n}行', 'the first {a} of {n} rows'], in_all: ['{c}合计{n}', '{c}: {n} in all'], more_rows: ['再显示{n}行', '{n} more rows'], columns_withheld: ['部分列无权查看', 'some columns are not for this role'],
  on_second: ['明细:第二屏 {a}', 'Rows: second screen, {a}'],
  within: ['居民在步行{n}分钟内', 'live within {n} minutes'], as_of: ['数据截至', 'Data as of'], synthetic: ['合成数据', 'Synthetic data'], awaited: ['未接入', 'not connected'],
  in_time: ['按期处置', 'In time'], last_days: ['近{n}天', 'last {n} days'], in_time_short: ['按期率%', 'in time'], towns: ['镇街', 'Town'], city: ['全市', 'city'],
  stale: ['数据停在 {t},正在重新连接', 'Data stands at {t}, reconnecting'], paused: ['暂停', 'Paused'], replay: ['回放 {a} – {b}', 'Replay {a} – {b}'],
  half_life: ['每{n}小时减半', 'halved every {n} h'], half_life_days: ['{n}天减半', 'halved in {n} d'], weighted: ['按{w}加权', 'weighted by {w}'], risk_weight: ['严重度', 'severity'],
  whole: ['全市', 'The whole city'], quiet: ['近{n}天没有显著热点', 'There is no significant hotspot of the last {n} days'], hotspots: ['显著热点', 'Significant hotspots'], hot_many: ['近{d}天有{n}格为显著热点(95%以上)', '{n} units are significant hotspots (95 %) of the last {d} days'], hot_one: ['近{d}天有1格为显著热点(95%以上)', 'One unit is a significant hotspot (95 %) of the last {d} days'],
  new_ones: ['其中{n}格本周新出现', '{n} of them new this week'], no_new: ['本周没有新出现的', 'none of them new this week'], serious_open: ['未处置的较高以上隐患', 'open hazards, serious or high'], workers: ['名网格管理员', 'workers'],
  by_density: ['按全市平均密度', 'at the city\'s mean density'], by_exposure: ['按全市平均({p})', 'at the city\'s mean by {p}'], by_mean: ['按各单元平均', 'at the mean of all units'], and_beside: ['等{n}格', 'and {n} beside it'],
  each_mark: ['1标≈{n}{unit}', '1 mark ≈ {n}'],
  significant: ['显著热点', 'Significant hotspot'], crew: ['网格管理员', 'workers'], beside: ['地名旁:网格管理员', 'beside names: workers'], high: ['高', 'high'], serious: ['较高', 'serious'], moderate: ['一般', 'moderate'], low: ['低', 'low'],
  rows: ['明细', 'Rows'], loading: ['正在读取', 'Loading'], failed: ['暂时读不到', 'Cannot be read now'], hidden: ['无权查看', 'Not for this screen'], few: ['数量过少,不予显示', 'Too few to be told'], dot: ['· 过少或无权,不显示', '· too few, or not for this screen'], all_ok: ['按期更新', 'up to date'],
  behind: ['超期未更新', 'behind'], no_city: ['服务器没有回答,稍后再试', 'The server does not answer; trying again'], reports: ['宗', ''], map: ['风险地图', 'Risk map'],
  before: ['起点', 'start'], best: ['前列', 'Best'], worst: ['末位', 'Last'], step_done: ['已处置', 'resolved'], still: ['图片模式', 'Pictures'], more: ['另有{n}项', 'and {n} more'],
  latest: ['最新', 'Latest'], find: ['地址、名称、拼音', 'Address, name, pinyin'], found: ['找到的', 'Found'], on_duty: ['值守网格管理员', 'on duty'], drive: ['遥控大屏', 'Drive the wall'], tour: ['巡览', 'Tour'], panels: ['面板', 'Panels'], places: ['地点', 'Places'],
  sent: ['已送到大屏 {w}:{p}', 'Sent to wall {w}: {p}'], key_back: ['上一处', 'Back'], key_pause: ['暂停 / 继续', 'Pause / go on'], key_next: ['下一处', 'Next'], key_whole: ['全市', 'Whole city'], key_replay: ['回放24小时', 'Replay 24 h'], key_close: ['关闭面板', 'Close'],
};

/** Text of a key, with {n} and such filled in. @param {Language} lang @param {keyof typeof WORDS} key @param {Record<string, any>} [values] */
export function say(lang, key, values = {}) {
  const text = WORDS[key][lang === 'en' ? 1 : 0];
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ''));
}

/** A thing's title in the language. @param {Language} lang @param {{title?: string, title_en?: string, name?: string}} thing */
export const title = (lang, thing) => (lang === 'en' ? thing.title_en ?? thing.title : thing.title ?? thing.title_en) ?? thing.name ?? '';

/** A sentence in parts behind which a line may end; blanks stay behind the part that they follow. @param {string} text */
export const thoughtsOf = (text) => text.split(/(?<=[。,;](?! )|[.,;] )/);

/** What stands for a number that is there and not told. */
export const HIDDEN = '·';

/**
 * A number as a wall writes it: exact below `exactBelow`, then 113.4万 or 1.13 M;
 * null, which the server says of what it does not tell, is hidden; what is no
 * number is unknown.
 * @param {Language} lang @param {number | null | undefined} n @param {number} [exactBelow]
 */
export function count(lang, n, exactBelow = 1e5) {
  if (n === null) return HIDDEN;
  if (!Number.isFinite(n)) return '?';
  if (Math.abs(n) < exactBelow) return String(Math.round(n));
  if (lang === 'en') {
    const [unit, name] = Math.abs(n) < 999500 ? [1e3, 'k'] : [1e6, 'M'];
    return `${+(n / unit).toPrecision(3)} ${name}`;
  }
  const [unit, name] = Math.abs(n) < 99999500 ? [1e4, '万'] : [1e8, '亿'];
  return `${+(n / unit).toFixed(1)}${name}`;
}

/**
 * How the numbers of one column are written: alike, exact where there is room,
 * else in a unit that its head tells, with as many decimals.
 * @param {Language} lang @param {(number | null | undefined)[]} numbers @param {number} [exactBelow]
 * @returns {{write: (n: number | null | undefined) => string, unit: string}}
 */
export function column(lang, numbers, exactBelow = 1e5) {
  const most = Math.max(0, ...numbers.map((n) => Math.abs(n ?? 0)).filter(Number.isFinite));
  if (most < exactBelow) return {write: (n) => count(lang, n, Infinity), unit: ''};
  const [unit, name, digits] = lang === 'en' ? (most < 9995e3 ? [1e3, ' k', 0] : [1e6, ' M', 1]) : most < 99995e3 ? [1e4, '万', 1] : [1e8, '亿', 1];
  // Of five digits three are told, or four.
  const shown = digits + (most < 1e5 ? 1 : 0), least = 1 / 10 ** shown;
  return {write: (n) => n === null || !Number.isFinite(n) || !n ? count(lang, n) : Math.abs(n) / unit < least ? `<${least}` : (n / unit).toFixed(shown), unit: name.trim()};
}

/** Rates of one column, alike: a decimal where they are small. @param {number[]} values @returns {(v: number) => string} */
export const rates = (values) => {
  const digits = Math.max(0, ...values.filter(Number.isFinite)) < 100 ? 1 : 0;
  return (v) => v.toFixed(digits);
};

/**
 * A whole, a part and the rest as they are printed. In 万 to one digit the rest
 * is the difference of what is printed, so that a reader's sum is right; the
 * exact number stands beside it.
 * @param {Language} lang @param {number | null} whole @param {number | null} part
 * @returns {[string, string, string]}
 */
export function parts(lang, whole, part) {
  if (whole === null || part === null) return [count(lang, whole, 1e4), count(lang, part, 1e4), HIDDEN];
  const rest = whole - part;
  if (lang === 'en' || whole < 1e4 || whole >= 99999500) return [count(lang, whole, 1e4), count(lang, part, 1e4), count(lang, rest, 1e4)];
  const rounded = (n) => Math.round(n / 1e3) * 1e3;
  const text = rest < 1e4 ? count(lang, rest) : count(lang, rounded(whole) - rounded(part), 1e4);
  return [count(lang, rounded(whole), 1e4), part < 1e4 ? count(lang, part) : count(lang, rounded(part), 1e4), text];
}

/** Sum of what is told: with a part that is hidden it is hidden, else with one that is unknown unknown. @param {(number | null | undefined)[]} parts */
export const plus = (parts) => parts.includes(null) ? null : parts.reduce((sum, n) => sum + (n ?? NaN), 0);

/** 96.3% @param {number | null | undefined} share @param {number} [digits] */
export const percent = (share, digits = 1) => share === null ? HIDDEN : Number.isFinite(share) ? `${(100 * share).toFixed(digits)}%` : '?';

const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** 6月 or Jun of 2023-06; anything else as it is. @param {Language} lang @param {string} text */
export function month(lang, text) {
  const m = /^\d{4}-(\d\d)/.exec(text);
  return !m ? text : lang === 'en' ? MONTHS[Number(m[1]) - 1] : `${Number(m[1])}月`;
}

/** 6月26日 or 26 Jun, and the time. @param {Language} lang @param {import('./plan.js').Moment} moment @param {boolean} [withTime] */
export function date(lang, moment, withTime = false) {
  const {month, day} = moment.date;
  const text = lang === 'en' ? `${day} ${MONTHS[month - 1]}` : `${month}月${day}日`;
  return withTime ? `${text} ${moment.clock.slice(0, 5)}` : text;
}

/** The days that a band is of. @param {Language} lang @param {number | null} weekday @param {number} n */
export const daysOf = (lang, weekday, n) => weekday === null ? say(lang, 'days_short', {n})
  : lang === 'en' ? `${n} ${WEEKDAYS[weekday]}s` : `近${n}个周${'日一二三四五六'[weekday]}`;

/** A usual day of the week, 0: Sunday; null: of any. @param {Language} lang @param {number | null} weekday */
export const usualOf = (lang, weekday) => weekday === null ? say(lang, 'usual')
  : lang === 'en' ? `usual ${WEEKDAYS[weekday]}` : `往常周${'日一二三四五六'[weekday]}`;
