// matters.c - the matters of service centres, by group.
#include "data/synth/matters.h"

#include <string.h>

#include "data/synth/dice.h"
#include "data/synth/table.h"

static const struct group {
    const char *id, *title, *title_en;
} GROUP[] = {
    {"residence", "居住证", "Residence permit"},
    {"social", "社保", "Social insurance"},
    {"medical", "医保", "Medical insurance"},
    {"civil", "民政", "Civil affairs"},
    {"family", "计生", "Family planning"},
    {"disabled", "残联", "Disability"},
    {"elderly", "养老", "Elderly care"},
    {"work", "就业", "Work"},
    {"housing", "住房", "Housing"},
    {"veterans", "退役军人", "Veterans"},
    {"law", "法律", "Law"},
    {"life", "便民", "Everyday"},
};
#define GROUPS (sizeof GROUP / sizeof *GROUP)

/* In the order of the groups; `all`: every centre has it. */
static const struct matter {
    unsigned group;
    bool all;
    const char *name, *name_en;
} MATTER[] = {
    {0, true, "居住证申领", "Apply for a residence permit"},
    {0, true, "居住证签注", "Renew a residence permit"},
    {0, false, "居住证补领换领", "Replace a residence permit"},
    {0, true, "居住登记", "Register where you live"},
    {0, false, "居住信息变更", "Change registered residence"},
    {0, false, "积分入户申请", "Apply for household registration by points"},
    {0, false, "积分入学申请", "Apply for school by points"},
    {0, false, "流动人口信息查询", "Look up migrant records"},
    {1, true, "城乡居民养老保险参保登记", "Join the residents' pension"},
    {1, true, "城乡居民养老保险待遇申领", "Claim the residents' pension"},
    {1, true, "养老待遇资格认证", "Confirm pension eligibility"},
    {1, true, "社保卡申领", "Apply for a social security card"},
    {1, false, "社保卡挂失解挂", "Report a lost social security card"},
    {1, false, "社保卡密码重置", "Reset a social security card's PIN"},
    {1, true, "参保证明打印", "Print proof of insurance"},
    {1, false, "缴费记录查询", "Look up contributions"},
    {1, false, "灵活就业人员参保登记", "Insure yourself as a freelancer"},
    {1, false, "社保关系转移接续", "Transfer social insurance"},
    {1, false, "养老保险待遇暂停恢复", "Suspend or resume a pension"},
    {1, false, "丧葬补助金申领", "Claim the funeral grant"},
    {2, true, "城乡居民医保参保登记", "Join residents' medical insurance"},
    {2, true, "医保异地就医备案", "Register for care elsewhere"},
    {2, true, "医保电子凭证激活", "Activate the electronic medical card"},
    {2, false, "医保参保信息变更", "Change medical insurance details"},
    {2, false, "医保个人账户查询", "Look up the medical account"},
    {2, false, "门诊特定病种认定", "Recognition of chronic illness"},
    {2, false, "家庭医生签约", "Sign up with a family doctor"},
    {2, true, "医疗费用零星报销", "Claim medical expenses"},
    {2, false, "新生儿参保登记", "Insure a newborn"},
    {2, false, "医保关系转移接续", "Transfer medical insurance"},
    {3, true, "最低生活保障申请", "Apply for the minimum living allowance"},
    {3, false, "低收入家庭认定", "Recognition as a low-income family"},
    {3, true, "临时救助申请", "Apply for emergency relief"},
    {3, false, "特困人员供养申请", "Apply for support of the destitute"},
    {3, true, "困境儿童基本生活保障", "Support for children in need"},
    {3, false, "婚姻登记预约", "Book a marriage registration"},
    {3, false, "收养登记咨询", "Advice on adoption"},
    {3, false, "殡葬惠民补贴申请", "Apply for the burial subsidy"},
    {3, false, "孤儿保障金申请", "Apply for the orphans' allowance"},
    {3, false, "社会组织备案", "Register a community organisation"},
    {3, true, "困难家庭慰问申请", "Ask for support in hardship"},
    {3, false, "流浪乞讨人员救助", "Help for the homeless"},
    {4, true, "生育登记", "Register a birth"},
    {4, true, "计划生育家庭奖励申请", "Apply for the family planning award"},
    {4, false, "独生子女父母奖励申请", "Award for parents of an only child"},
    {4, false, "免费孕前优生检查", "Free check-up before pregnancy"},
    {4, false, "免费婚前医学检查", "Free medical check before marriage"},
    {4, true, "孕产妇保健手册领取", "Get the maternity record"},
    {4, false, "儿童预防接种预约", "Book a child's vaccination"},
    {4, false, "计生家庭特别扶助申请", "Apply for special family support"},
    {4, false, "托育机构咨询", "Advice on nurseries"},
    {5, true, "残疾人证申领", "Apply for a disability certificate"},
    {5, false, "残疾人证换发", "Renew a disability certificate"},
    {5, true, "困难残疾人生活补贴",
     "Living allowance for disabled people in need"},
    {5, true, "重度残疾人护理补贴", "Care allowance for severe disability"},
    {5, false, "残疾人辅助器具申请", "Apply for assistive devices"},
    {5, false, "残疾儿童康复救助", "Rehabilitation of disabled children"},
    {5, false, "残疾人就业登记", "Register a disabled person for work"},
    {5, false, "无障碍改造申请", "Apply for barrier-free alterations"},
    {5, false, "残疾学生资助申请", "Aid for disabled students"},
    {6, true, "高龄津贴申领", "Claim the allowance for the very old"},
    {6, true, "敬老优待证办理", "Get a senior citizen's card"},
    {6, true, "居家养老服务申请", "Apply for home care"},
    {6, false, "长者饭堂就餐登记", "Register for the seniors' canteen"},
    {6, false, "适老化改造申请", "Apply for alterations for the elderly"},
    {6, false, "老年人免费体检预约", "Book the seniors' check-up"},
    {6, true, "养老机构补贴申请", "Apply for the care home subsidy"},
    {6, false, "失能老人护理补贴", "Care allowance for frail elderly people"},
    {6, false, "独居老人探访登记", "Register for visits to those living alone"},
    {6, false, "老年大学报名", "Enrol in the seniors' college"},
    {7, true, "失业登记", "Register as unemployed"},
    {7, true, "就业登记", "Register employment"},
    {7, false, "求职登记", "Register as a job seeker"},
    {7, true, "失业保险金申领", "Claim unemployment benefit"},
    {7, false, "就业困难人员认定", "Recognition of hardship in finding work"},
    {7, false, "创业补贴申请", "Apply for the start-up grant"},
    {7, false, "技能提升补贴申领", "Claim the training grant"},
    {7, false, "职业技能培训报名", "Enrol in vocational training"},
    {7, true, "劳动争议调解申请", "Ask for mediation of a labour dispute"},
    {7, false, "欠薪投诉登记", "Complain about unpaid wages"},
    {8, true, "公共租赁住房申请", "Apply for public rental housing"},
    {8, false, "住房补贴申请", "Apply for the housing subsidy"},
    {8, true, "房屋租赁备案", "Register a tenancy"},
    {8, false, "出租屋信息登记", "Register a house for rent"},
    {8, false, "自建房安全排查登记",
     "Register a safety check of a self-built house"},
    {8, false, "危房改造申请", "Apply for repair of unsafe housing"},
    {8, false, "加装电梯咨询", "Advice on adding a lift"},
    {8, false, "住房公积金查询", "Look up the housing fund"},
    {8, false, "物业维修资金咨询", "Advice on the maintenance fund"},
    {9, true, "退役军人信息采集", "Register as a veteran"},
    {9, true, "优待证申领", "Apply for the preferential treatment card"},
    {9, false, "优抚对象补助申领", "Claim support for veterans"},
    {9, false, "退役士兵安置咨询", "Advice on resettlement"},
    {9, false, "军属光荣牌申领", "Get the military family plaque"},
    {9, false, "义务兵家庭优待金申领", "Allowance for families of conscripts"},
    {10, true, "法律援助申请", "Apply for legal aid"},
    {10, true, "人民调解申请", "Ask for mediation"},
    {10, false, "法律咨询", "Legal advice"},
    {10, false, "公证咨询", "Advice on notarisation"},
    {10, true, "信访事项登记", "Register a petition"},
    {10, false, "社区矫正咨询", "Advice on community correction"},
    {10, false, "安置帮教咨询", "Advice after release"},
    {11, true, "证明材料办理", "Get certificates"},
    {11, true, "水电气缴费", "Pay water, power and gas"},
    {11, true, "公共法律自助查询", "Self-service legal enquiry"},
    {11, false, "户籍业务咨询", "Advice on household registration"},
    {11, false, "身份证办理咨询", "Advice on identity cards"},
    {11, true, "消费投诉登记", "Register a consumer complaint"},
    {11, false, "营业执照咨询", "Advice on business licences"},
    {11, false, "食品经营备案", "Register a food business"},
    {11, false, "犬只登记", "Register a dog"},
    {11, false, "电动自行车上牌预约", "Book an e-bike's number plate"},
    {11, true, "志愿者注册", "Become a volunteer"},
    {11, false, "图书借阅", "Borrow books"},
    {11, false, "党员组织关系转接", "Transfer party membership"},
    {11, false, "流动党员登记", "Register as a party member away from home"},
    {11, false, "农村宅基地咨询", "Advice on rural house plots"},
    {11, false, "股份分红查询", "Look up village dividends"},
    {11, false, "社区活动室预约", "Book the community room"},
    {11, false, "打印复印", "Print and copy"},
};
#define MATTERS (sizeof MATTER / sizeof *MATTER)

/* Public holidays of 2023 and the working days that make up for them, as the
 * State Council announced them. */
#define HOLIDAYS                                                             \
    "\"holidays\": [[\"2022-12-31\", \"2023-01-02\"], [\"2023-01-21\", "     \
    "\"2023-01-27\"], [\"2023-04-05\", \"2023-04-05\"], [\"2023-04-29\", "   \
    "\"2023-05-03\"], [\"2023-06-22\", \"2023-06-24\"], [\"2023-09-29\", "   \
    "\"2023-10-06\"]],\n    \"workdays\": [\"2023-01-28\", \"2023-01-29\", " \
    "\"2023-04-23\", \"2023-05-06\", \"2023-06-25\", \"2023-10-07\", "       \
    "\"2023-10-08\"],\n"

/* Draws of a centre that its other columns do not use. */
#define DICE_OF(i) (UINT64_C(1) << 43 | (i))

char *om__put_matters(char *at, const struct om__city *city, uint64_t i,
                      uint32_t count)
{
    struct om__dice dice = om__dice(city->seed, OM__FOR_CENTRE, DICE_OF(i));
    bool has[MATTERS];
    uint32_t other[MATTERS], others = 0, chosen = 0;
    for (uint32_t k = 0; k < MATTERS; k++) {
        has[k] = MATTER[k].all;
        chosen += has[k];
        if (!has[k]) other[others++] = k;
    }
    for (; chosen < count && others > 0; chosen++) {
        const uint32_t k = om__dice_below(&dice, others);
        has[other[k]] = true;
        other[k] = other[--others];
    }
    bool first = true;
    for (size_t k = 0; k < MATTERS; k++) {
        if (!has[k]) continue;
        if (!first) *at++ = ';';
        at = om__put(at, MATTER[k].name);
        first = false;
    }
    return at;
}

void om__add_community(struct om_buf *out)
{
    om_buf_add_text(
        out,
        "\"community\": {\"centres\": \"service_centre\", "
        "\"organisations\": \"organisation\", \"activities\": "
        "\"activity\", \"hotline\": \"12345\", \"levels\": [\"village\", "
        "\"town\"],\n    " HOLIDAYS
        "    \"matters\": {\"column\": \"matters\", "
        "\"groups\": [");
    for (size_t g = 0; g < GROUPS; g++)
        om_buf_addf(out,
                    "%s\n      {\"id\": \"%s\", \"title\": \"%s\", "
                    "\"title_en\": \"%s\"}",
                    g ? "," : "", GROUP[g].id, GROUP[g].title,
                    GROUP[g].title_en);
    om_buf_add_text(out, "],\n      \"list\": [");
    for (size_t k = 0; k < MATTERS; k++)
        om_buf_addf(out,
                    "%s\n      {\"group\": \"%s\", \"name\": \"%s\", "
                    "\"name_en\": \"%s\"}",
                    k ? "," : "", GROUP[MATTER[k].group].id, MATTER[k].name,
                    MATTER[k].name_en);
    om_buf_add_text(out, "]}}");
}
