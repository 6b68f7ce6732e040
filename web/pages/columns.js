// @ts-check
// columns.js - what columns of a city's layers are called, in two languages.
// A name that is not here is shown as it is. Pure.

/** @type {Record<string, [string, string]>} */
const TITLES = {
  id: ['编号', 'ID'], name: ['名称', 'Name'], code: ['编码', 'Code'], text: ['文本', 'Text'], title: ['标题', 'Title'], kind: ['类别', 'Kind'], status: ['状态', 'Status'], level: ['管理级别', 'Level'],
  department: ['部门', 'Department'], item: ['事项', 'Matter'], severity: ['等级', 'Severity'], returned: ['退回次数', 'Times returned'], handler: ['处置单位', 'Handler'],
  reported: ['上报', 'Reported'], accepted: ['受理', 'Accepted'], dispatched: ['分派', 'Assigned'], resolved: ['处置', 'Resolved'], verified: ['核查', 'Verified'], due: ['时限', 'Due'],
  target_layer: ['对象类别', 'Kind of target'], target_id: ['对象编号', 'Target'], worker: ['网格管理员', 'Worker'], duty_grid: ['责任网格', 'Grid on duty'], seen: ['最近出现', 'Last seen'],
  at: ['时间', 'Time'], checks_done: ['检查项数', 'Checks done'], found: ['发现问题', 'Found'], month: ['月份', 'Month'], count: ['数量', 'Count'],
  channel: ['渠道', 'Channel'], opened: ['开始', 'Opened'], closed: ['结束', 'Closed'], starts: ['开始', 'Starts'], ends: ['结束', 'Ends'], places: ['名额', 'Places'],
  use: ['用途', 'Use'], floors: ['层数', 'Floors'], built: ['建成年份', 'Year built'], residents: ['居民', 'Residents'], building: ['建筑', 'Building'], address: ['地址', 'Address'],
  level_since: ['定级时间', 'Level since'], model_house: ['示范出租屋', 'Model house'], fire_grade: ['消防等级', 'Fire grade'],
  windows: ['窗口', 'Windows'], terminals: ['自助机', 'Terminals'], staff: ['人员', 'Staff'], items: ['事项数', 'Matters'], matters: ['事项', 'Matters'], opening_hours: ['开放时间', 'Opening hours'], phone: ['电话', 'Phone'], organisation: ['组织', 'Organisation'],
  where: ['所在', 'Where'], place: ['地址或名称', 'Address or name'], class: ['状态', 'State'], overdue_days: ['逾期', 'Overdue'], last: ['上次巡查', 'Last visit'], done_due: ['已巡/应巡', 'Made/due'], done_visits: ['已巡次数', 'Visits made'], due_visits: ['应巡次数', 'Visits due'],
  grid: ['网格', 'Grid'], village: ['村(社区)', 'Village'], town: ['镇街', 'Town'],
};

/** What their numbers count. @type {Record<string, [string, string]>} */
const UNITS = {
  residents: ['人', 'people'], staff: ['人', 'people'], floors: ['层', ''], windows: ['个', ''], terminals: ['台', ''], items: ['项', ''], places: ['个', ''], overdue_days: ['天', 'days'], visits: ['次', 'visits'],
  returned: ['次', ''], checks_done: ['项', ''], found: ['项', ''], count: ['条', ''], built: ['年', ''],
};

/** How a row stands: of patrols, and of what is so or not. @type {Record<string, [string, string]>} */
const STATES = {
  overdue: ['逾期', 'overdue'], missed: ['漏巡,后已巡', 'missed, visited since'], unjudged: ['不能判断', 'cannot be judged'], not_due: ['未到期', 'not due yet'], done: ['已巡', 'made'], due: ['有应巡', 'owed'], visited: ['有已巡', 'visited'], no_duty: ['无须巡查', 'nothing owed'],
  never: ['无记录', 'no record'], yes: ['是', 'yes'], no: ['否', 'no'],
};

/** @param {string} lang @param {string} name of a column */
export const columnUnit = (lang, name) => (Object.hasOwn(UNITS, name) ? UNITS[name][lang === 'en' ? 1 : 0] : '');

/** @param {string} lang @param {string} state */
export const stateTitle = (lang, state) => (Object.hasOwn(STATES, state) ? STATES[state][lang === 'en' ? 1 : 0] : state);

/** @param {string} lang @param {string} name of a column */
export const columnTitle = (lang, name) => (Object.hasOwn(TITLES, name) ? TITLES[name][lang === 'en' ? 1 : 0] : name);

/** Classes of hotspots, word by word. @type {Record<string, string>} */
const CLASSES = {
  hot: '热点', cold: '冷点', high: '偏高', low: '偏低', 'not significant': '不显著', none: '无规律', unknown: '未知',
  historical: '历史', oscillating: '波动', sporadic: '零星', diminishing: '减弱', persistent: '持续', consecutive: '连续', intensifying: '增强', new: '新增',
};

/** "热点 99%" of "hot 99%". @param {string} lang @param {string} text */
export function classTitle(lang, text) {
  if (lang === 'en') return text;
  if (Object.hasOwn(CLASSES, text)) return CLASSES[text];
  if (/^(high|low)-(high|low)$/.test(text)) return text.replace(/high/g, '高').replace(/low/g, '低');
  const words = text.split(' ');
  return words.length === 2 && words.every((w) => Object.hasOwn(CLASSES, w) || /%$/.test(w)) ? words.map((w) => CLASSES[w] ?? ` ${w}`).join('') : text;
}
