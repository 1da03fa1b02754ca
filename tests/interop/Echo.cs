// For tests alone: a web method for every kind of value, which gives back what it was given.

using System;
using System.Data;
using System.Linq;
using System.Web.Services;

public enum Colour { Red, Green, DarkBlue }

public class Thing
{
    public string Name;
    public int Count;
    public decimal? Price;
    public DateTime When;
    public string[] Tags;
    public Thing Inner;
}

// Of the service's namespace, since that is the one in which clients look for operations.
[WebService(Namespace = "http://api.discountasp.net/")]
public class Echo : WebService
{
    static T Same<T>(string key, T value)
    {
        Keys.Check(key);
        return value;
    }

    [WebMethod]
    public string EchoString(string key, string value) { return Same(key, value); }

    [WebMethod]
    public int EchoInt(string key, int value) { return Same(key, value); }

    [WebMethod]
    public long EchoLong(string key, long value) { return Same(key, value); }

    [WebMethod]
    public decimal EchoDecimal(string key, decimal value) { return Same(key, value); }

    [WebMethod]
    public double EchoDouble(string key, double value) { return Same(key, value); }

    [WebMethod]
    public bool EchoBoolean(string key, bool value) { return Same(key, value); }

    [WebMethod]
    public DateTime EchoDateTime(string key, DateTime value) { return Same(key, value); }

    [WebMethod]
    public Guid EchoGuid(string key, Guid value) { return Same(key, value); }

    [WebMethod]
    public byte[] EchoBytes(string key, byte[] value) { return Same(key, value); }

    [WebMethod]
    public Colour EchoColour(string key, Colour value) { return Same(key, value); }

    [WebMethod]
    public int? EchoNullable(string key, int? value) { return Same(key, value); }

    [WebMethod]
    public string[] EchoStrings(string key, string[] value) { return Same(key, value); }

    [WebMethod]
    public int[] EchoInts(string key, int[] value) { return Same(key, value); }

    [WebMethod]
    public Thing[] EchoThings(string key, Thing[] value) { return Same(key, value); }

    // The UTF-16 units in hexadecimal: what was read, whatever an answer would lose of it.
    [WebMethod]
    public string CodeUnits(string key, string value)
    {
        return string.Join(" ", Same(key, value).Select(unit => ((int)unit).ToString("x4")));
    }

    // Two tables, of a row as it was given, one that was changed, one of nulls, and one deleted.
    [WebMethod]
    public DataSet EchoRow(string key, string text, int number, decimal amount, DateTime moment,
        bool flag, Guid guid, byte[] bytes)
    {
        var table = new DataTable("Kinds of Value");
        table.Columns.Add("Text", typeof(string));
        table.Columns.Add("Number", typeof(int));
        table.Columns.Add("Amount", typeof(decimal));
        table.Columns.Add("Moment", typeof(DateTime)).DateTimeMode = DataSetDateTime.Unspecified;
        table.Columns.Add("Is it?", typeof(bool));
        table.Columns.Add("Guid", typeof(Guid));
        table.Columns.Add("Bytes", typeof(byte[]));
        Same(key, table.Rows).Add(text, number, amount, moment, flag, guid, bytes);
        table.Rows.Add("before");
        table.Rows.Add();
        table.Rows.Add("deleted");
        var answer = new DataSet("Answer");
        answer.Tables.Add(table);
        answer.Tables.Add("Empty").Columns.Add("Nothing");
        answer.AcceptChanges();
        table.Rows[1]["Text"] = "after";
        table.Rows[3].Delete();
        return answer;
    }
}
