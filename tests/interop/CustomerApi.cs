// The operations that are known, with scripted jobs and an account in memory; the account is ours.

using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Data;
using System.Linq;
using System.Threading;
using System.Web;
using System.Web.Services;
using System.Web.Services.Protocols;
using System.Xml;

public class JobStatus
{
    public string JobName;
    public string Status;
    public DateTime StartDateTime;
    public DateTime CompletedDateTime;
    public string ErrorMessage;
}

public class SMAlias
{
    public string EmailAddress;
    public string[] Addresses;
}

public static class Keys
{
    // "soap-wrong-key" is refused as a SoapException, any other wrong key as a plain one.
    public static void Check(string key)
    {
        if (key == null)
            throw new Exception("API key is missing.");
        if (key == "soap-wrong-key")
            throw new SoapException("Invalid API key.", SoapException.ClientFaultCode);
        if (key != "test-key")
            throw new Exception("Invalid API key.");
    }
}

[WebService(Namespace = "http://api.discountasp.net/")]
public class CustomerApi : WebService
{
    static readonly ConcurrentDictionary<Guid, int> looks = new ConcurrentDictionary<Guid, int>();
    static readonly ConcurrentDictionary<string, bool> users =
        new ConcurrentDictionary<string, bool>();
    static readonly Dictionary<string, List<SMAlias>> domains =
        new Dictionary<string, List<SMAlias>>();
    // No test asks for jobs between this and 1000000 by their numbers.
    static int started = 1000;

    [WebMethod(Description = "Get the status on an asynchronous job")]
    public JobStatus GetJobStatus(string key, Guid jobId)
    {
        Keys.Check(key);
        string id = jobId.ToString();
        if (id.Substring(8, 16) != "-0000-0000-0000-")
            throw new Exception("Job not found.");
        int number;
        if (!int.TryParse(id.Substring(24), out number))
            throw new Exception("Job not found.");
        int look = looks.AddOrUpdate(jobId, 1, (_, before) => before + 1);
        switch (id.Substring(0, 8))
        {
            case "a0000000": return Jobs.After(look, Jobs.Completed());
            case "f0000000": return Jobs.After(look, Jobs.Failed("Login failed for user 'sa'."));
            case "1a000000": return Jobs.Failed(new string('x', number), "Large job");
            case "00000000": return Jobs.Fixed(number);
            default: throw new Exception("Job not found.");
        }
    }

    // A database called "broken" has a job that fails.
    [WebMethod(Description = "Start a backup of a SQL 2012 database; its result is a jobId for "
        + "GetJobStatus")]
    public Guid Sql2012CreateBackup(string key, string databaseName)
    {
        Keys.Check(key);
        string head = databaseName == "broken" ? "f0000000" : "a0000000";
        return new Guid(string.Format(
            "{0}-0000-0000-0000-{1:000000000000}", head, Interlocked.Increment(ref started)));
    }

    [WebMethod(Description = "Get the bandwidth usage for a date range")]
    public DataSet BandwidthGetUsage(string key, DateTime startDate, DateTime endDate)
    {
        Keys.Check(key);
        var table = new DataTable("UsageSummary");
        table.Columns.Add("UseDate", typeof(DateTime));
        table.Columns.Add("Quantity", typeof(decimal));
        var march = new DateTime(2026, 3, 1);
        var quantities = new object[] { 1.50m, 0m, null, 79228162514264337593543950335m };
        for (int day = 0; day < quantities.Length; day++)
            if (startDate <= march.AddDays(7 * day) && march.AddDays(7 * day) <= endDate)
                table.Rows.Add(march.AddDays(7 * day), quantities[day]);
        var answer = new DataSet();
        answer.Tables.Add(table);
        // As rows are that were read from a database
        answer.AcceptChanges();
        return answer;
    }

    [WebMethod(Description = "Add a SmarterMail user")]
    public void SMAddUser(string key, string domainName, string userName, string password,
        string firstName, string lastName, int maxMailboxSizeInMB)
    {
        Keys.Check(key);
        Need("domainName", domainName);
        Need("userName", userName);
        Need("password", password);
        if (!users.TryAdd(userName + "@" + domainName, true))
            throw new Exception("The user exists already.");
        lock (domains)
            Domain(domainName);
    }

    [WebMethod(Description = "Add a SmarterMail alias")]
    public void SMAddAlias(string key, string domainName, string aliasName, string[] addresses)
    {
        Keys.Check(key);
        Need("domainName", domainName);
        Need("aliasName", aliasName);
        lock (domains)
        {
            string address = aliasName + "@" + domainName;
            if (Domain(domainName).Any(each => each.EmailAddress == address))
                throw new Exception("The alias exists already.");
            Domain(domainName).Add(new SMAlias {
                EmailAddress = address, Addresses = addresses ?? new string[0] });
        }
    }

    [WebMethod(Description = "Replace the addresses of a SmarterMail alias")]
    public void SMUpdateAliasAddresses(string key, string domainName, string aliasName,
        string[] newAddresses)
    {
        Keys.Check(key);
        lock (domains)
        {
            List<SMAlias> aliases;
            SMAlias alias = null;
            if (domainName != null && domains.TryGetValue(domainName, out aliases))
                alias = aliases.Find(each => each.EmailAddress == aliasName + "@" + domainName);
            if (alias == null)
                throw new Exception("Alias not found.");
            alias.Addresses = newAddresses ?? new string[0];
        }
    }

    [WebMethod(Description = "Get all SmarterMail aliases of a domain")]
    public SMAlias[] SMGetAllAliases(string key, string domainName)
    {
        Keys.Check(key);
        lock (domains)
        {
            if (domainName == null || !domains.ContainsKey(domainName))
                throw new Exception("Domain not found.");
            return domains[domainName].ToArray();
        }
    }

    static List<SMAlias> Domain(string name)
    {
        if (!domains.ContainsKey(name))
            domains[name] = new List<SMAlias>();
        return domains[name];
    }

    static void Need(string name, string value)
    {
        if (value == null)
            throw new Exception(name + " is missing.");
    }
}

// The script of the captured answers, which is described beside them (tests/samples/INDEX.md).
static class Jobs
{
    const string Node = "http://127.0.0.1:18080/1.0/customerapi.asmx";
    const string Errors = "http://api.discountasp.net/errors";
    static readonly XmlQualifiedName NotFound =
        new XmlQualifiedName("JobNotFound", "http://api.discountasp.net/");
    static readonly DateTime start = new DateTime(2026, 3, 14, 9, 26, 53);
    static readonly DateTime end = new DateTime(2026, 3, 14, 9, 31, 7);

    static JobStatus Job(string status, DateTime start, DateTime end,
        string name = "Sql2012CreateBackup", string error = null)
    {
        return new JobStatus { JobName = name, Status = status, StartDateTime = start,
            CompletedDateTime = end, ErrorMessage = error };
    }

    public static JobStatus Completed(string name = "Sql2012CreateBackup", string error = null)
    {
        return Job("Completed", start, end, name, error);
    }

    public static JobStatus Failed(string error, string name = "Sql2012CreateBackup")
    {
        return Job("Failed", start, end, name, error);
    }

    public static JobStatus After(int look, JobStatus last)
    {
        if (look == 1)
            return Job("Pending", DateTime.MinValue, DateTime.MinValue);
        return look == 2 ? Job("Running", start, DateTime.MinValue) : last;
    }

    static DateTime Local(int month)
    {
        return new DateTime(2026, month, 15, 9, 30, 0, DateTimeKind.Local);
    }

    // The compiler refuses a null that it can see.
    static string Nothing()
    {
        return null;
    }

    static XmlNode Detail()
    {
        var document = new XmlDocument();
        XmlElement detail = document.CreateElement("detail");
        XmlElement code = document.CreateElement("j", "code", Errors);
        code.SetAttribute("severity", "high");
        code.InnerText = "E-403 <denied>";
        detail.AppendChild(code);
        return detail;
    }

    public static JobStatus Fixed(int number)
    {
        XmlQualifiedName client = SoapException.ClientFaultCode;
        XmlQualifiedName server = SoapException.ServerFaultCode;
        switch (number)
        {
            case 1: return Completed(error: "");
            case 2: return Failed("Cannot open backup device. "
                + "Operating system error 5 (Access is denied.).");
            case 3: return Job("Running", start, DateTime.MinValue);
            case 4: return Job("Completed", Local(1), Local(7), "Local kind");
            case 5: return Job("Completed", DateTime.SpecifyKind(start, DateTimeKind.Utc),
                DateTime.SpecifyKind(end, DateTimeKind.Utc), "Utc kind");
            case 6: return Completed("Unspecified kind");
            case 7: return Job("Completed", start.AddTicks(1234567), start.AddTicks(1200000),
                "7 and 2 digits, Unspecified");
            case 8: return Job("Completed",
                DateTime.SpecifyKind(start.AddTicks(1234567), DateTimeKind.Utc),
                DateTime.SpecifyKind(start.AddTicks(9999999), DateTimeKind.Local),
                "7 digits, Utc and Local");
            case 9: return Job("Completed",
                DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc), DateTime.MaxValue,
                "MinValue Utc, MaxValue");
            case 10: return Job("Completed",
                DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Local),
                DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc),
                "MinValue Local, MaxValue Utc");
            case 11: return Completed("a < b && c > d \"quoted\" 'single' ]]> &amp; <!-- x -->",
                "<error code=\"5\">&nbsp;</error>");
            case 12: return Completed("S\u00e3o Paulo \u65e5\u672c\u8a9e \u05e9\u05dc\u05d5\u05dd",
                "\U0001f680\U0001f468\u200d\U0001f469\u200d\U0001f467 e\u0301 "
                + "\u2028 \u0085 \ufeff \u00a0.");
            case 13: return Job("\tCompleted\n", start, end, "  leading and trailing  ",
                "line 1\r\nline 2\rline 3\nline 4\n");
            case 14: return Job(null, start, end, null);
            case 15: return Job("", start, end, "", "");
            case 16: return Completed("   ", "\n");
            case 17: return null;
            case 18: return Completed("not XML: \x0001 \x000b \x0000.");
            case 19: return Completed("not XML: \ufffe \uffff.");
            case 20: return Completed("half a pair: \ud83d.");
            case 30: throw new SoapException("The job belongs to another customer.", client, Node,
                Detail());
            case 31: throw new SoapException("The job store is down.", server);
            case 32: throw new InvalidOperationException("Could not read the job.",
                new TimeoutException("The wait operation timed out."));
            case 33: return Failed(Nothing().Trim());
            case 34: throw new Exception("<b>\u65e5\u672c & \U0001f680</b>\r\nsecond line\x0001");
            case 35: throw new SoapException("A code of our own.", NotFound);
            case 36: throw new SoapException("A subcode of our own.", client, Node,
                "http://role.example/", "en-US", Detail(), new SoapFaultSubCode(NotFound), null);
            case 37: throw new SoapException("", server);
            case 38: throw new HttpException(403, "Forbidden by the service.");
            default: throw new Exception("Job not found.");
        }
    }
}
